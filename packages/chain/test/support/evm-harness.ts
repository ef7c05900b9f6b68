/** The EVM adapter under test, on an embedded chain of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Amount, roundFor, seconds, silentLogger } from '@holdfast/protocol'
import { callsTo } from '../../src/devnet/chain-rpc.ts'
import { startDevnet } from '../../src/devnet/devnet.ts'
import { openEvmLedger } from '../../src/evm/open.ts'
import { randomPrivateKey, signerFromPrivateKey } from '../../src/keys/signer.ts'
import { signaturePoint } from '../../src/relayer/drand.ts'
import { systemClock, systemRandom } from '../../src/system-adapters.ts'
import type { Account, Harness } from './harness.ts'

/** One coin is plenty of gas for a test. */
const GAS_MONEY = 10n ** 18n

export const openEvmHarness = async (): Promise<Harness> => {
  const stateDir = await mkdtemp(join(tmpdir(), 'holdfast-suite-'))
  const devnet = await startDevnet({
    ...{ stateDir, clock: systemClock, logger: silentLogger },
    period: seconds(1000n),
    directChallenges: 5,
    // Nobody is audited by chance: what that does is for the histories (differential).
    auditChance: 2 ** 32 - 1,
    relay: false,
  })
  const { network, control } = devnet
  const [url] = network.rpc
  const call = callsTo(url ?? '')
  const relayer = await devnet.ledger('relayer')
  const open: { close(): Promise<void> }[] = []
  const account = async (tokens?: Amount): Promise<Account> => {
    const signer = signerFromPrivateKey(randomPrivateKey(systemRandom))
    await control.give(signer.address, GAS_MONEY)
    if (tokens !== undefined) await devnet.mint(signer.address, tokens)
    const { rpc } = network
    const ledger = await openEvmLedger({
      ...{ network, rpc, signer, clock: systemClock, logger: silentLogger },
    })
    open.push(ledger)
    return { signer, ledger }
  }
  return {
    network,
    account,
    time: () => relayer.time(),
    setTime: async (at) => {
      await call('evm_setNextBlockTimestamp', [Number(at)])
    },
    mine: () => control.mine(),
    postSeed: async (of) => {
      const signature = devnet.signRound(roundFor(network, of))
      await relayer.postSeed(of, signaturePoint(signature))
    },
    reorg: (depth) => control.reorg(depth),
    close: async () => {
      for (const ledger of open) await ledger.close()
      await devnet.close()
      await rm(stateDir, { recursive: true, force: true })
    },
  }
}
