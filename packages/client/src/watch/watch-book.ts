/**
 * What a watch remembers on disk: which entries it has seen, which disputes it opened, what it has
 * spent. One file per network and account, replaced atomically, and held by one watch at a time, so
 * that two cannot spend one budget twice.
 *
 * Invariant: what may cost money is written down before it is sent. The ledger decides what is true
 * of a dispute; this file only knows that we meant to open it.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { NetworkParams } from '@holdfast/chain'
import {
  type Address,
  type Hash32,
  HoldfastError,
  type Period,
  RING_PERIODS,
} from '@holdfast/protocol'
import { lockPath, type PathLock } from '@holdfast/prover'
import { errorCode, errorMessage } from '../system-error.ts'
import { type BondEntry, budgetBlock, type GasEntry } from './budget.ts'
import { checkKey } from './check-key.ts'
import { decodeBook, encodeBook } from './watch-book-format.ts'
import type { Subject } from './watch-events.ts'
import type { CheckEntry, DisputeEntry, DisputeState, WatchNotes } from './watch-notes.ts'

/** What one dispute's bond is to the budget. */
const BOND_STATES: Readonly<Record<DisputeState, BondEntry['state']>> = {
  opening: 'open',
  open: 'open',
  answered: 'lost',
  lost: 'returned',
  expired: 'returned',
  dropped: 'returned',
}

export class WatchBook {
  readonly #path: string
  readonly #lock: PathLock
  readonly #checks: Map<string, CheckEntry>
  readonly #disputes: Map<Hash32, DisputeEntry>
  readonly #gas: Map<string, GasEntry>
  #saving: Promise<void> = Promise.resolve()

  private constructor(path: string, lock: PathLock, notes: WatchNotes) {
    this.#path = path
    this.#lock = lock
    this.#checks = new Map(notes.checks)
    this.#disputes = new Map(notes.disputes)
    this.#gas = new Map(notes.gas)
  }

  /** @throws HoldfastError `HOME_IN_USE` while another watch runs, `CONFIG_INVALID`. */
  static async open(
    home: string,
    { chainId, contracts }: NetworkParams,
    account: Address,
  ): Promise<WatchBook> {
    const folder = join(home, 'watch')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const parts = [chainId, contracts.disputes, account]
    const name = createHash('sha256').update(parts.join('|')).digest('hex').slice(0, 32)
    const path = join(folder, `${name}.json`)
    const lock = await lockPath({ path: `${path}.lock`, of: path, stays: false })
    try {
      return new WatchBook(path, lock, await readNotes(path))
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  get notes(): WatchNotes {
    return { checks: this.#checks, disputes: this.#disputes, gas: this.#gas }
  }

  check(subject: Subject): CheckEntry | undefined {
    return this.#checks.get(checkKey(subject))
  }

  /** In memory until the next write: a look that is forgotten is made again. */
  note(entry: CheckEntry): void {
    this.#checks.set(checkKey(entry), entry)
  }

  get bonds(): readonly BondEntry[] {
    return [...this.#disputes.values()].map(({ period, bond, state }) => ({
      ...{ period, bond, state: BOND_STATES[state] },
    }))
  }

  /** Durable when it resolves. */
  async setDispute(entry: DisputeEntry): Promise<void> {
    this.#disputes.set(entry.dispute, entry)
    await this.save()
  }

  /** Durable when it resolves. `undefined` forgets what was never spent. */
  async setGas(name: string, entry: GasEntry | undefined): Promise<void> {
    if (entry === undefined) this.#gas.delete(name)
    else this.#gas.set(name, entry)
    await this.save()
  }

  /** Drops what no rule and no budget asks about any more. */
  prune(now: Period): void {
    const oldest = now - BigInt(2 * RING_PERIODS)
    for (const [key, { period }] of this.#checks) if (period < oldest) this.#checks.delete(key)
    const isPast = (period: Period): boolean =>
      period < oldest && budgetBlock(period) < budgetBlock(now)
    for (const [key, { period, state }] of this.#disputes) {
      if (isPast(period) && state !== 'open' && state !== 'opening') this.#disputes.delete(key)
    }
    for (const [key, { period }] of this.#gas) if (isPast(period)) this.#gas.delete(key)
  }

  /** One write at a time; each writes what is true when it starts. */
  save(): Promise<void> {
    const write = async (): Promise<void> => {
      const file = await open(`${this.#path}.new`, 'w', 0o600)
      try {
        await file.writeFile(encodeBook(this.notes))
        await file.datasync()
      } finally {
        await file.close()
      }
      await rename(`${this.#path}.new`, this.#path)
    }
    const next = this.#saving.then(write, write)
    this.#saving = next.catch(() => undefined)
    return next
  }

  async close(): Promise<void> {
    await this.#saving
    await this.#lock.release()
  }
}

const readNotes = async (path: string): Promise<WatchNotes> => {
  try {
    return decodeBook(await readFile(path, 'utf8'))
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') {
      return { checks: new Map(), disputes: new Map(), gas: new Map() }
    }
    const reason = `${errorMessage(cause)}; if it is damaged, remove it: what it spent is then forgotten`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason }, { cause })
  }
}
