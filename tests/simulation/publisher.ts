/**
 * The client's side: the real steps of publishing, upload and repair over simulated peers, broken off
 * now and then and taken up again; and reads of what was acknowledged.
 */
import type { ClientLedger } from '@holdfast/chain'
import {
  approveBill,
  collectOffers,
  heldReplicas,
  makeSessionKey,
  type PayloadFile,
  PeerPool,
  type ProviderPeer,
  type PublishJob,
  type ReplicaBook,
  type ReplicaRecord,
  sessionKeyOnce,
  signVoucher,
  silentProgress,
  storeAll,
  uploadPayload,
} from '@holdfast/client'
import {
  bytes,
  type CallOptions,
  HoldfastError,
  hash32,
  type ProviderId,
  periods,
  type Root,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { PayloadTree } from '@holdfast/provider'
import type { Machine } from './machine.ts'
import type { Oracle } from './oracle.ts'
import { Peer } from './peer.ts'
import { signerOf, type World } from './world.ts'

/** What one publisher's disk remembers of one payload. */
class Record implements ReplicaBook {
  readonly #replicas = new Map<ProviderId, ReplicaRecord>()

  get replicas(): readonly ReplicaRecord[] {
    return [...this.#replicas.values()]
  }

  replica(provider: ProviderId): ReplicaRecord {
    return this.#replicas.get(provider) ?? { provider }
  }

  async save(replica: ReplicaRecord): Promise<void> {
    this.#replicas.set(replica.provider, replica)
  }

  async forget(provider: ProviderId): Promise<void> {
    this.#replicas.delete(provider)
  }
}

const fileOf = (data: Uint8Array): PayloadFile => ({
  read: async (buffer, offset, length, position) => {
    const part = data.subarray(position, position + length)
    buffer.set(part, offset)
    return { bytesRead: part.length }
  },
})

export class Publisher {
  readonly signer = signerOf(100)
  readonly #world: World
  readonly #machines: readonly Machine[]
  readonly #oracle: Oracle
  readonly #ledger: ClientLedger
  readonly #records = new Map<Root, Record>()
  lineOut = false
  published = 0

  constructor(world: World, machines: readonly Machine[], oracle: Oracle) {
    this.#world = world
    this.#machines = machines
    this.#oracle = oracle
    this.#ledger = world.ledger(this.signer.address, {
      run: { alive: true },
      isOut: () => this.lineOut,
      lostAnswers: () => 0,
    })
  }

  /** Publishes a payload; broken off and tried again as chance wants. */
  async publish(tree: PayloadTree, wanted: number, term: number): Promise<void> {
    const { random } = this.#world
    for (let attempt = 0; attempt < 3; attempt++) {
      const stop = new AbortController()
      if (random.chance(0.3)) {
        void this.#world.sleep(0.1, 20).then(() => stop.abort())
      }
      const done = await this.#try('publish', tree.root, () =>
        this.#publishOnce(tree, { wanted, term }, { signal: stop.signal }),
      )
      if (done) {
        this.published++
        return
      }
      await this.#world.sleep(10, 900)
    }
  }

  /** Two uploads under one voucher at once, and perhaps a third with another. */
  async double(tree: PayloadTree, machine: Machine): Promise<void> {
    const record = await this.#world.eye.provider(machine.provider)
    if (record === undefined) return
    const request = await signVoucher({ record }, tree.commitment, await this.#signing())
    const seen = new Set<string>()
    const upload = (): Promise<boolean> =>
      this.#try('double', tree.root, async () => {
        const { receipt } = await uploadPayload({
          ...{ peer: this.#peer(machine), request, payload: fileOf(tree.data) },
          ...{ clock: this.#world.clock, onBytes: () => undefined },
        })
        seen.add(`${receipt.voucherNonce} ${receipt.storedAt}`)
      })
    await Promise.all([upload(), upload()])
    // However often and late it is asked for, whatever happened in between: one voucher, one receipt.
    for (let again = 0; again < 3; again++) {
      await this.#world.sleep(60, 900)
      await upload()
    }
    if (seen.size > 1) {
      this.#world.violate(`${machine.name} gave receipts ${[...seen]} for one voucher`)
    }
  }

  /** Reads some bytes of something that was acknowledged. */
  async readSome(): Promise<void> {
    const { random } = this.#world
    const { held } = this.#oracle
    if (held.length === 0) return
    const one = random.pick(held)
    const { length } = this.#world.payload(one.root).data
    const start = Math.floor(random.unit() * length)
    const end = start + 1 + Math.floor(random.unit() * (length - start))
    this.#oracle.counts.reads++
    try {
      await this.#peer(one.machine).readPayload(one.root, { start: bytes(start), end: bytes(end) })
    } catch (error) {
      await this.#oracle.readFailed(one, error)
    }
  }

  /** Brings what a provider has lost back to it from another replica. */
  async repair(): Promise<void> {
    const deals = await this.#world.eye.deals({ client: this.signer.address })
    for (const { state, terms } of deals) {
      if (state !== 'faulty') continue
      const sources = deals.filter(
        (other) => other.terms.root === terms.root && other.terms.provider !== terms.provider,
      )
      await this.#try('repair', terms.root, async () => {
        const data = await this.#fetch(
          terms.root,
          sources.map((source) => source.terms.provider),
        )
        const machine = this.#machine(terms.provider)
        const record = await this.#ledger.provider(terms.provider)
        if (record === undefined || data === undefined) return
        const request = await signVoucher({ record }, terms, await this.#signing())
        const upload = { peer: this.#peer(machine), request, payload: fileOf(data) }
        const { clock } = this.#world
        await uploadPayload({ ...upload, clock, onBytes: () => undefined })
        this.#world.trace.say('publisher', 'repaired', { root: terms.root, at: machine.name })
      })
    }
  }

  async #fetch(root: Root, from: readonly ProviderId[]): Promise<Uint8Array | undefined> {
    const { length } = this.#world.payload(root).commitment
    for (const provider of from) {
      try {
        const span = { start: bytes(0), end: length }
        const data = await this.#peer(this.#machine(provider)).readPayload(root, span)
        if (new PayloadTree(data).root === root) return data
      } catch (error) {
        if (!HoldfastError.is(error)) throw error
      }
    }
    return undefined
  }

  async #publishOnce(
    tree: PayloadTree,
    { wanted, term }: { readonly wanted: number; readonly term: number },
    options: CallOptions,
  ): Promise<void> {
    const job = this.#job(tree, wanted, term)
    const held = await heldReplicas(job, options)
    const { offers, source } = await collectOffers(job, held, options)
    await approveBill(job, held, offers, options)
    const { failures } = await storeAll(job, { held, offers, source }, options)
    const [first] = failures
    if (first !== undefined) throw first.error
  }

  #job(tree: PayloadTree, wanted: number, term: number): PublishJob {
    const { clock, random, token } = this.#world
    const { commitment } = tree
    const record = this.#records.get(tree.root) ?? new Record()
    this.#records.set(tree.root, record)
    return {
      ledger: this.#ledger,
      context: {
        ...{ ledger: this.#ledger, signer: this.signer, clock, random, record, commitment },
        progress: silentProgress,
        payload: fileOf(tree.data),
        dataset: hash32(tree.root),
        onBytes: () => undefined,
        now: () => this.#now(),
        sessionKey: sessionKeyOnce(async () =>
          makeSessionKey(await this.#signing(), commitment.length),
        ),
      },
      peers: new PeerPool(async ({ provider }) => this.#peer(this.#machine(provider))),
      wanted,
      offerRequest: {
        ...{ length: commitment.length, periods: periods(term), token },
        ...{ region: '', maxPrice: undefined },
      },
      offers: undefined,
      approve: undefined,
    }
  }

  async #signing(): Promise<Parameters<typeof signVoucher>[2]> {
    const { network } = this.#ledger
    return { network, signer: this.signer, random: this.#world.random, now: await this.#now() }
  }

  async #now(): Promise<Timestamp> {
    return timestamp(this.#world.seconds)
  }

  #machine(provider: ProviderId): Machine {
    const found = this.#machines.find((machine) => machine.provider === provider)
    if (found === undefined) throw new Error(`nobody is ${provider}`)
    return found
  }

  #peer(machine: Machine): ProviderPeer {
    return new Peer(this.#world, machine, {
      onReceipt: (from, receipt) => this.#oracle.receipt(from, receipt),
    })
  }

  /** False when it failed, as things may; anything but one of our errors is a defect. */
  async #try(what: string, root: Root, act: () => Promise<void>): Promise<boolean> {
    const { trace } = this.#world
    try {
      await act()
      trace.say('publisher', what, { root })
      return true
    } catch (error) {
      trace.say('publisher', `${what} failed`, { root, reason: String(error) })
      if (!HoldfastError.is(error) || error.code === 'INVARIANT') {
        const stack = error instanceof Error ? error.stack : String(error)
        this.#world.violate(`the publisher failed: ${stack}`)
      }
      return false
    }
  }
}
