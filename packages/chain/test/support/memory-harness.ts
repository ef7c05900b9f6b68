/** The in-memory adapter under test. */
import { type Amount, seconds, timestamp } from '@holdfast/protocol'
import { randomPrivateKey, signerFromPrivateKey } from '../../src/keys/signer.ts'
import { createMemoryChain } from '../../src/memory/create.ts'
import { systemRandom } from '../../src/system-adapters.ts'
import type { Account, Harness } from './harness.ts'

export const openMemoryHarness = async (): Promise<Harness> => {
  const chain = createMemoryChain({
    genesis: timestamp(1_700_000_000n),
    period: seconds(1000n),
    directChallenges: 5,
    auditChance: 2 ** 32 - 1,
    randomSeed: systemRandom.bytes(32),
  })
  const [token] = chain.network.tokens
  const account = async (tokens?: Amount): Promise<Account> => {
    const signer = signerFromPrivateKey(randomPrivateKey(systemRandom))
    if (tokens !== undefined && token !== undefined) {
      chain.mint(token.address, signer.address, tokens)
    }
    return { signer, ledger: chain.ledger(signer.address) }
  }
  return {
    network: chain.network,
    account,
    time: async () => chain.time,
    setTime: async (at) => chain.setTime(at),
    mine: async () => chain.advance(seconds(0n)),
    postSeed: async (of) => chain.postSeed(of),
    reorg: async (depth) => chain.reorg(depth),
    close: async () => undefined,
  }
}
