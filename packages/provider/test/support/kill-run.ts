/**
 * Many lives of one storage node (`store-kill-child.ts`), each ended from outside, and what was
 * promised in all of them. The oracle is what the parent heard: a receipt is honoured byte for byte
 * until its payload is released, durable ranges stay durable, what is gone stays gone.
 */
import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@holdfast/chain'
import { openUploadRequest, timestamp, voucherDigest } from '@holdfast/protocol'
import { homePaths } from '../../src/home.ts'
import { createVolume } from '../../src/store/volume-files.ts'
import { nonce } from './client.ts'
import { type Chore, type KilledUpload, type KillTask, secondVolume } from './kill-task.ts'
import { ACCOUNTS } from './network.ts'
import { commitmentOf, payloadOf } from './payloads.ts'
import { type Chance, chanceFrom } from './simulated-disk.ts'

const CHILD = fileURLToPath(new URL('./store-kill-child.js', import.meta.url))
/** Shared records, small and of several frames, and some in sectors of their own; whole or in parts. */
const SIZES = [3_000, 40_000, 150_000, 400_000, 70_000, 40_000] as const
const PART_BYTES = 160_000
/** So many payloads stay claimed; older ones are released. */
const CLAIMED = 6
const CHORES: readonly (readonly Chore[])[] = [
  ['collect', 'drain-a'],
  ['drain-b', 'collect'],
  ['drain-a', 'collect'],
  ['collect', 'drain-b'],
]

const provider = ACCOUNTS.owner.address

export interface Life {
  /** It is ended after so many steps; without, it ends when it is done. */
  readonly steps?: number
  /** And so many milliseconds. */
  readonly thenMs?: number
  /** It ends itself at this point. */
  readonly crashPoint?: string
  /** How it is ended; default: SIGKILL. */
  readonly end?: (kill: () => void) => void
}

export interface LifeOutcome {
  readonly signal: NodeJS.Signals | null
  /** Whether it was ended, and did not end by itself. */
  readonly ended: boolean
  /** Bytes still reserved when it was done; undefined when it was not. */
  readonly reserved: number | undefined
  readonly checked: number
}

export class KillRun {
  readonly #home: string
  readonly #chance: Chance
  readonly #nowMs = systemClock.now()
  readonly #tlsKeyHash = nonce()
  readonly finished: KilledUpload[] = []
  #open: KilledUpload[] = []
  #made = 0
  lives = 0

  constructor(home: string, chance: Chance) {
    this.#home = home
    this.#chance = chance
  }

  /** Makes the home's volumes. */
  async prepare(): Promise<void> {
    const { journal, volume } = homePaths(this.#home)
    await mkdir(journal, { recursive: true })
    for (const directory of [volume, secondVolume(volume)]) await createVolume(directory, provider)
  }

  /** Payloads that must be there. */
  get claimed(): number {
    return this.finished.filter(({ released }) => !released).length
  }

  get removed(): number {
    return this.finished.filter(({ removed }) => removed).length
  }

  /** One life: it checks every receipt, then goes on, and is ended or gets done. */
  async live(life: Life = {}): Promise<LifeOutcome> {
    while (this.#open.length < SIZES.length) this.#open.push(await this.#freshUpload())
    this.#release()
    const uploads = [...this.finished.map((upload) => ({ ...upload })), ...this.#open]
    const outcome = await this.#run(uploads, life)
    this.lives++
    for (const { id, removed } of uploads) {
      const known = this.finished.find((upload) => upload.id === id)
      if (known !== undefined && removed) known.removed = true
    }
    this.finished.push(...this.#open.filter(({ receipt }) => receipt !== undefined))
    this.#open = this.#open.filter(({ receipt }) => receipt === undefined)
    return outcome
  }

  /** What was long gone need not be asked for again. */
  forgetGone(): void {
    const gone = this.finished.filter(({ removed }) => removed)
    for (const upload of gone.slice(0, -CLAIMED)) {
      this.finished.splice(this.finished.indexOf(upload), 1)
    }
  }

  #release(): void {
    const claimed = this.finished.filter(({ released }) => !released)
    for (const upload of claimed.slice(0, -CLAIMED)) {
      // Some of each sector stay, so that there is something to copy.
      if (upload.id % 3 !== 0 || claimed.length > 4 * CLAIMED) upload.released = true
    }
  }

  async #run(uploads: readonly KilledUpload[], life: Life): Promise<LifeOutcome> {
    const {
      steps = Number.POSITIVE_INFINITY,
      thenMs = 0,
      crashPoint,
      end = (kill) => kill(),
    } = life
    const chores = CHORES[this.#chance(CHORES.length)] ?? []
    const task: KillTask = {
      ...{ nowMs: this.#nowMs, provider, tlsKeyHash: this.#tlsKeyHash, partBytes: PART_BYTES },
      ...{ uploads, chores },
    }
    const armed = crashPoint === undefined ? {} : { HOLDFAST_CRASH_POINT: crashPoint }
    const child = spawn(process.execPath, [CHILD, this.#home], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...armed },
    })
    const exited = new Promise<NodeJS.Signals | null>((resolve) => {
      child.once('exit', (_code, signal) => resolve(signal))
    })
    // It may be gone before it has read all of it.
    child.stdin.on('error', () => undefined)
    child.stdin.end(JSON.stringify(task))
    let left = steps
    let ended = false
    const endOnce = (): void => {
      if (ended) return
      ended = true
      end(() => child.kill('SIGKILL'))
    }
    let checked = 0
    let reserved: number | undefined
    for await (const line of createInterface(child.stdout)) {
      const [word = '', id = '', rest = ''] = line.split(' ')
      const upload = uploads.find((known) => known.id === Number(id))
      if (word === 'broken') throw new Error(`life ${this.lives}: ${line}`)
      if (word === 'checked') {
        checked++
        continue
      }
      note(upload, word, rest)
      left--
      if (word === 'done') reserved = Number(id)
      if (left === 0) setTimeout(thenMs).then(endOnce)
      else if (word === 'done') endOnce()
    }
    const signal = await exited
    const outcome = { signal, ended, reserved, checked }
    // A timer that is late ends nothing of the next life.
    ended = true
    return outcome
  }

  async #freshUpload(): Promise<KilledUpload> {
    const id = this.#made++
    const size = SIZES[id % SIZES.length] ?? 1
    const seconds = BigInt(Math.floor(this.#nowMs / 1000))
    const voucher = {
      ...commitmentOf(payloadOf(size, id)),
      payer: ACCOUNTS.publisher.address,
      provider,
      tlsKeyHash: this.#tlsKeyHash,
      notBefore: timestamp(seconds - 10n),
      expiry: timestamp(seconds + 3600n),
      nonce: nonce(),
    }
    const domain = { chainId: 1n, verifyingContract: provider }
    const signature = await ACCOUNTS.publisher.sign(voucherDigest(voucher, domain))
    const request = Buffer.from(openUploadRequest.encode({ voucher, signature })).toString('base64')
    return { id, size, seed: id, request, durable: [] }
  }
}

const note = (upload: KilledUpload | undefined, word: string, rest: string): void => {
  if (upload === undefined) return
  if (word === 'receipt') upload.receipt = rest
  if (word === 'durable') upload.durable.push(Number(rest))
  if (word === 'removed') upload.removed = true
}

export interface KillTotals {
  readonly kills: number
  /** Lives that had not done all they could. */
  readonly cutShort: number
  readonly receipts: number
  readonly removed: number
  /** Times that a receipt was checked. */
  readonly checks: number
}

/** Lives that are killed at random moments, and one that is not. @throws Error for a broken promise. */
export const killAtRandom = async (
  home: string,
  {
    kills,
    seed,
    told = () => undefined,
  }: {
    readonly kills: number
    readonly seed: number
    /** Told after each life what was seen so far. */
    readonly told?: (totals: KillTotals) => void
  },
): Promise<KillTotals> => {
  const chance = chanceFrom(seed)
  const run = new KillRun(home, chance)
  await run.prepare()
  let [cutShort, checks, receipts, removed] = [0, 0, 0, 0]
  for (let kill = 0; kill <= kills; kill++) {
    const last = kill === kills
    const before = { finished: run.finished.length, removed: run.removed }
    const life = last ? {} : { steps: 1 + chance(36), thenMs: chance(8) }
    const outcome = await run.live(life)
    receipts += run.finished.length - before.finished
    removed += run.removed - before.removed
    run.forgetGone()
    checks += outcome.checked
    if (outcome.reserved === undefined) cutShort++
    if (outcome.signal !== 'SIGKILL')
      throw new Error(`life ${kill} of seed ${seed} ended by itself`)
    if (last && outcome.reserved !== 0) throw new Error(`${outcome.reserved} bytes stay reserved`)
    told({ kills: kill, cutShort, receipts, removed, checks })
  }
  return { kills, cutShort, receipts, removed, checks }
}

/** Lives that may be needed until there is enough to be collected and copied. */
const LIVES_BEFORE = 6

/**
 * Lives until one ends itself at a point, and one more that checks everything.
 * @returns whether the point was reached.
 * @throws Error for a broken promise.
 */
export const crashAt = async (run: KillRun, point: string, passage = 1): Promise<boolean> => {
  let crashed = false
  for (let life = 0; life < LIVES_BEFORE && !crashed; life++) {
    const outcome = await run.live({ crashPoint: `${point}:${passage}` })
    if (outcome.signal !== 'SIGKILL') throw new Error(`${point}: the process ended by itself`)
    crashed = outcome.reserved === undefined
    run.forgetGone()
  }
  const after = await run.live()
  if (after.reserved !== 0) throw new Error(`${point}: not all is well afterwards`)
  return crashed
}
