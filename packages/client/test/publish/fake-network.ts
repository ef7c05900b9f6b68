/**
 * A network in one process for tests of publishing: the chain in memory, and providers that do what
 * the protocol asks of them, in memory too. Any call can be made to fail, before or after its effect.
 */
import {
  createMemoryChain,
  type Ledger,
  type MemoryChain,
  signerFromPrivateKey,
  systemClock,
} from '@holdfast/chain'
import { amount, type Signer, seconds, timestamp } from '@holdfast/protocol'
import type { ConnectPeer } from '../../src/transfer/provider-peer.ts'
import { FakeProvider, type Gate } from './fake-provider.ts'

const signerOf = (byte: number): Signer => signerFromPrivateKey(new Uint8Array(32).fill(byte))
const MONEY = amount(1_000_000_000n)

export class FakeNetwork {
  readonly chain: MemoryChain
  readonly publisher: Signer = signerOf(1)
  readonly ledger: Ledger
  readonly providers: FakeProvider[] = []
  gate: Gate = () => undefined

  private constructor(chain: MemoryChain) {
    this.chain = chain
    this.ledger = chain.ledger(this.publisher.address)
  }

  static async create(count: number): Promise<FakeNetwork> {
    const chain = createMemoryChain({
      genesis: timestamp(Math.floor(systemClock.now() / 1000)),
      period: seconds(1000),
      window: seconds(750),
      randomSeed: new Uint8Array(32).fill(5),
    })
    const network = new FakeNetwork(chain)
    const token = network.token.address
    chain.mint(token, network.publisher.address, MONEY)
    await network.ledger.deposit(token, MONEY)
    for (let i = 0; i < count; i++) network.providers.push(await FakeProvider.register(network, i))
    return network
  }

  get token(): MemoryChain['network']['tokens'][number] {
    const [token] = this.chain.network.tokens
    if (token === undefined) throw new Error('the simulated network has a token')
    return token
  }

  readonly connect: ConnectPeer = async (record) => {
    const found = this.providers.find(({ provider }) => provider === record.provider)
    if (found === undefined) throw new Error(`no provider ${record.provider}`)
    return found
  }
}
