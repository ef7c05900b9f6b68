/** Lives of deals on the ledger in memory, each on a network of its own. */
import {
  createMemoryChain,
  type MemoryChain,
  randomPrivateKey,
  signerFromPrivateKey,
  systemRandom,
} from '@holdfast/chain'
import { amount, type Signer, seconds, timestamp } from '@holdfast/protocol'
import type { LifeChain, People } from './life-facts.ts'

const WEALTH = amount(10n ** 40n)

export const inMemory = (chain: MemoryChain): LifeChain => ({
  network: chain.network,
  time: async () => chain.time,
  ledger: async ({ address }) => {
    const ledger = chain.ledger(address)
    const [token] = chain.network.tokens
    if (token === undefined) throw new Error('a network has a token')
    if ((await ledger.balance(address, token.address)) === 0n) {
      chain.mint(token.address, address, WEALTH)
      await ledger.deposit(token.address, WEALTH)
    }
    return ledger
  },
  enter: async (at) => {
    chain.setTime(at)
    chain.advance(seconds(0n))
  },
  postSeed: async (of) => chain.postSeed(of),
})

const signerOf = (): Signer => signerFromPrivateKey(randomPrivateKey(systemRandom))

export const people = (): People => ({
  ...{ publisher: signerOf(), owner: signerOf(), operator: signerOf() },
  random: systemRandom,
})

/** A network of its own whose fee is this. */
export const chainWith = (feeBps: number): MemoryChain =>
  createMemoryChain({
    ...{ genesis: timestamp(1_700_000_000n), period: seconds(1000n), directChallenges: 1 },
    ...{ feeBps, randomSeed: systemRandom.bytes(32), auditChance: 4 },
  })
