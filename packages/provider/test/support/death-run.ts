/**
 * A whole node on two volumes whose threads die at random moments, while clients upload and read and
 * periods are proven. The oracle is what the clients heard: ranges that were called durable, receipts.
 * Throws at the first word that is broken.
 */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytes, type Commitment, type UploadVoucher } from '@holdfast/protocol'
import { LIMITS_DEFAULT } from '../../src/limits/limits.ts'
import { systemPlatform } from '../../src/platform.ts'
import { createVolume } from '../../src/store/volume-files.ts'
import type { TestClient } from './client.ts'
import { codeOf } from './http-client.ts'
import { MortalThreads } from './mortal-threads.ts'
import { type RunningProvider, SHARED_PAYLOAD_MAX, TestNetwork, until } from './network.ts'
import { payloadOf } from './payloads.ts'
import { type Chance, chanceFrom } from './simulated-disk.ts'

const LARGE = Number(SHARED_PAYLOAD_MAX)
const SIZES = [700, 70_000, 300_000, LARGE + 1, 2 * LARGE] as const
const PART = 200_000
const UPLOADERS = 3
const PAUSE_MAX_MS = 120
const DEATHS_PER_PERIOD = 10

interface Made {
  readonly payload: Uint8Array
  readonly commitment: Commitment
}

const broken = (what: string): never => {
  throw new Error(`the node broke its word: ${what}`)
}

export class DeathRun {
  readonly network: TestNetwork
  readonly #threads = new MortalThreads()
  readonly #chance: Chance
  readonly #directories: readonly string[]
  readonly #receipts: Made[] = []
  #seeds: number
  #running: RunningProvider | undefined
  #over = false
  deaths = 0
  uploads = 0
  /** Requests that were refused because a thread was dead. */
  refused = 0
  reads = 0
  periods = 0

  private constructor(network: TestNetwork, directories: readonly string[], seed: number) {
    this.network = network
    this.#directories = directories
    this.#chance = chanceFrom(seed)
    this.#seeds = 1_000_000 * seed
  }

  static async create(seed: number): Promise<DeathRun> {
    const network = await TestNetwork.create()
    const { volume } = network.paths
    const directories = [volume, join(network.paths.home, 'other')]
    await createVolume(directories[1] ?? '', network.owner.address)
    const capacity = bytes(2n ** 30n)
    network.config = {
      ...network.config,
      limits: { ...LIMITS_DEFAULT, accountCallsPerMinute: 2 ** 20 },
      volumes: directories.map((directory) => ({ directory, capacity, draining: false })),
    }
    return new DeathRun(network, directories, seed)
  }

  /** So many deaths; then everything is checked, and again after a restart of the node. */
  async run(deaths: number): Promise<void> {
    this.#running = await this.#start()
    await this.#client.deal(payloadOf(150_000, 1))
    const clients = Array.from({ length: UPLOADERS }, () =>
      this.#whileRunning(() => this.#upload()),
    )
    const readers = [this.#whileRunning(() => this.#read())]
    const all = [...clients, ...readers]
    await Promise.race([this.#kill(deaths), Promise.all(all)])
    this.#over = true
    await Promise.all(all)
    await this.#checkAll()
    await this.#running.stop()
    this.#running = await this.#start()
    await this.#checkAll()
  }

  get #client(): TestClient {
    if (this.#running === undefined) throw new Error('the node runs')
    return this.#running.client
  }

  #start(): Promise<RunningProvider> {
    const store = this.#threads.platform
    return this.network.start({
      platform: { ...systemPlatform, store },
      storing: { restartPausesMs: [0], watchEveryMs: 20 },
    })
  }

  async #whileRunning(act: () => Promise<void>): Promise<void> {
    while (!this.#over) await act()
  }

  async #kill(deaths: number): Promise<void> {
    const store = this.#running?.provider.parts.store
    if (store === undefined) throw new Error('the node runs')
    while (this.deaths < deaths) {
      await new Promise((resolve) => setTimeout(resolve, this.#chance(PAUSE_MAX_MS)))
      if (this.deaths % DEATHS_PER_PERIOD === 0) await this.#provePeriod()
      const victim = this.#directories[this.#chance(2)] ?? ''
      this.deaths++
      this.#threads.killVolume(victim)
      await until(`death ${this.deaths} is over`, () => {
        const all = store.status()
        const count = all.reduce((sum, each) => sum + each.deaths.count, 0)
        return count === this.deaths && all.every(({ condition }) => condition === 'ok')
      })
    }
  }

  /** The seed comes, a thread dies while the proof is made, and the period is proven nevertheless. */
  async #provePeriod(): Promise<void> {
    const state = this.#running?.provider.parts.follower.state
    const now = this.network.nextPeriod()
    await until(`period ${now} proven`, () => state?.isProven(now) === true)
    this.periods++
  }

  /** One payload from voucher to receipt, in spite of all deaths. */
  async #upload(): Promise<void> {
    const made = await this.#make()
    const voucher = this.#client.voucher(made.commitment)
    const heard = { durable: 0 }
    while (!(await this.#tried(() => this.#send(voucher, made.payload, heard)))) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    this.#receipts.push(made)
    this.uploads++
  }

  /** Goes on from what is durable, which has to be at least what was heard before. */
  async #send(voucher: UploadVoucher, payload: Uint8Array, heard: { durable: number }) {
    const client = this.#client
    const session = await client.open(voucher)
    const note = (ranges: unknown): void => {
      const durable = endOf(ranges)
      if (durable < heard.durable) broken(`${durable} bytes are durable, ${heard.durable} were`)
      heard.durable = durable
    }
    if (!session.complete) note(session.durable.map(({ start, end }) => [start, end]))
    while (!session.complete && heard.durable < payload.length) {
      const start = heard.durable
      const end = Math.min(payload.length, start + PART)
      const answer = await client.put(session, payload, { start, end })
      if (answer.status !== 200) throw new Refused(codeOf(answer))
      note(JSON.parse(Buffer.from(answer.body).toString()).durable)
      if (heard.durable < end) broken(`a part to ${end} was taken, and ends at ${heard.durable}`)
    }
    await client.commit(session)
  }

  /** False when it was refused because a thread was dead. */
  async #tried(act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      const code = error instanceof Refused ? error.message : codeIn(error)
      if (!MAY_HAPPEN.has(code)) throw error
      this.refused++
      return false
    }
  }

  /** Reading needs no thread that writes: it is never refused. */
  async #read(): Promise<void> {
    const made = this.#receipts[this.#chance(Math.max(1, this.#receipts.length))]
    if (made === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    else await this.#check(made)
  }

  async #check({ commitment: { root }, payload }: Made): Promise<void> {
    const { status, body } = await this.#client.get(root)
    const same = Buffer.from(body).equals(payload)
    if (status !== 200 || !same) broken(`${root} is read with ${status}, ${body.length} bytes`)
    this.reads++
  }

  async #checkAll(): Promise<void> {
    for (const made of this.#receipts) await this.#check(made)
  }

  /** A new payload; the prover hashes it, because the reference takes long. */
  async #make(): Promise<Made> {
    const seed = this.#seeds++
    const payload = payloadOf(SIZES[this.#chance(SIZES.length)] ?? 1, seed)
    const path = join(this.network.paths.home, `payload-${seed}`)
    await writeFile(path, payload)
    const file = { path, offset: bytes(0), length: bytes(payload.length) }
    const commitment = await this.network.prover.commitFile(file)
    await rm(path)
    return { payload, commitment }
  }
}

class Refused extends Error {}

/** Where the bytes end that are durable from the start on. */
const endOf = (ranges: unknown): number => {
  const [first] = Array.isArray(ranges) ? ranges : []
  return Array.isArray(first) && Number(first[0]) === 0 ? Number(first[1]) : 0
}

const codeIn = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''

/** A refusal may come before the part was sent whole: then its sender finds the line cut. */
const MAY_HAPPEN: ReadonlySet<string> = new Set(['VOLUME_UNAVAILABLE', 'ECONNRESET', 'EPIPE'])
