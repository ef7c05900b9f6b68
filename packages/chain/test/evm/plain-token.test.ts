/**
 * A token without permits: deposits go by approval. The token is compiled here, with the compiler
 * that compiles the contracts, because no network of ours ships such a token.
 */

import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { amount, type Hex, seconds, silentLogger, timestamp } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { createContract, deployContracts } from '../../src/deploy/deploy.ts'
import { type Devnet, startDevnet } from '../../src/devnet/devnet.ts'
import { openChain } from '../../src/evm/client.ts'
import { openEvmLedger } from '../../src/evm/open.ts'
import { systemClock } from '../../src/system-adapters.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.20;
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract Plain is ERC20 {
    constructor() ERC20("Plain", "PLN") { _mint(msg.sender, 1000); }
}`

interface Compiler {
  compile(input: string, callbacks: { import: (path: string) => { contents: string } }): string
}

/** Creation code of the plain token. */
const compiled = (): Hex => {
  const require = createRequire(import.meta.url)
  const solc = require('solc') as Compiler
  const input = {
    language: 'Solidity',
    sources: { 'Plain.sol': { content: SOURCE } },
    settings: { outputSelection: { '*': { Plain: ['evm.bytecode.object'] } } },
  }
  const read = (path: string) => ({ contents: readFileSync(require.resolve(path), 'utf8') })
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read })) as {
    contracts: { 'Plain.sol': { Plain: { evm: { bytecode: { object: string } } } } }
  }
  return `0x${output.contracts['Plain.sol'].Plain.evm.bytecode.object}`
}

/** A second network on the devnet's chain, whose tokens are its own and the plain one. */
const networkWithPlain = async (devnet: Devnet, stop: AbortSignal) => {
  const { signer } = devnet.accounts('deployer')
  const { rpc, drand, tokens } = devnet.network
  const chain = await openChain({ rpc, clock: systemClock, logger: silentLogger, stop })
  const plain = await createContract(chain, signer, compiled())
  const network = await deployContracts(chain, signer, {
    tokens: [plain, ...tokens.map((token) => token.address)],
    ...{ feeAccount: signer.address, minimumStake: amount(0n), feeBps: 500, directChallenges: 5 },
    ...{ period: seconds(60n), window: seconds(30n), seedDelay: seconds(3n), auditChance: 30 },
    ...{ disputeTime: seconds(120n), answerTime: seconds(60n) },
    ...{ disputeBond: amount(1n), disputeSlash: amount(0n) },
    drand: { ...drand, genesis: timestamp(drand.genesis) },
  })
  const logger = silentLogger
  const ledger = await openEvmLedger({ network, rpc, signer, clock: systemClock, logger })
  return { network, plain, ledger }
}

describeWithAnvil('a token without permits', () => {
  test('is deposited by approval, and withdrawn like any other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-plain-'))
    const stop = new AbortController()
    const devnet = await startDevnet({
      ...{ stateDir: folder, clock: systemClock, logger: silentLogger, relay: false },
    })
    try {
      const { network, plain, ledger } = await networkWithPlain(devnet, stop.signal)
      expect(network.tokens.map((token) => token.symbol)).toEqual(['PLN', 'tUSD'])
      const { events } = await ledger.deposit(plain, amount(400n))
      expect(events).toHaveLength(1)
      await ledger.deposit(plain, amount(100n))
      await ledger.withdraw(plain, amount(50n))
      expect(await ledger.balance(ledger.account, plain)).toBe(450n)
      expect(await ledger.tokenBalance(ledger.account, plain)).toBe(550n)
      await ledger.close()
    } finally {
      stop.abort()
      await devnet.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
