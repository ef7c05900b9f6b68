/**
 * The heartbeat: ledger updates in order, each folded into the chain state and written down together
 * with the cursor, then everybody who waits for news is woken. Acts on nothing by itself.
 *
 * Invariants: memory is ahead of disk only while a batch is being written; a crash at any moment
 * repeats at most one update; a reorganisation deeper than what can be taken back starts over from
 * the deployment.
 */
import type { BlockRef, LedgerReader, LedgerUpdate } from '@holdfast/chain'
import { type Clock, HoldfastError, type Logger, milliseconds } from '@holdfast/protocol'
import type { KeyValuePlace } from '../key-values.ts'
import { levelTrouble } from '../store/disposable-level.ts'
import { nextCall } from '../wake.ts'
import { type BlockChange, ChainState, type ChainStateOptions, UNDO_BLOCKS } from './chain-state.ts'
import type { Fact } from './facts.ts'
import { type LoadedState, StateStore } from './state-store.ts'

export interface FollowerDependencies {
  readonly ledger: Pick<LedgerReader, 'follow'>
  readonly clock: Clock
  readonly logger: Logger
  /** Default: LevelDB. */
  readonly keyValues?: KeyValuePlace
}

export interface FollowerOptions extends ChainStateOptions {
  readonly directory: string
}

/** Errors of the line, not of the chain. */
const TRANSPORT: ReadonlySet<string> = new Set(['LEDGER_UNREACHABLE', 'TIMED_OUT', 'ABORTED'])
const PAUSE_MS = 1000

export class Follower {
  readonly #dependencies: FollowerDependencies
  readonly #options: FollowerOptions
  readonly #store: StateStore
  readonly #listeners = new Set<() => void>()
  #state: ChainState
  /** The last blocks folded, oldest first, so that the ledger can find where chains part. */
  #trail: BlockRef[]

  private constructor(
    dependencies: FollowerDependencies,
    options: FollowerOptions,
    store: StateStore,
    loaded: LoadedState | undefined,
  ) {
    this.#dependencies = dependencies
    this.#options = options
    this.#store = store
    this.#state = new ChainState(options, loaded?.facts, loaded?.cursor)
    this.#trail = [...(loaded?.trail ?? [])]
  }

  static async open(
    dependencies: FollowerDependencies,
    options: FollowerOptions,
  ): Promise<Follower> {
    const { logger, keyValues } = dependencies
    const onDamage = levelTrouble(logger, 'chain state', (reason) =>
      logger.warn('chain state damaged: thrown away', { reason }),
    )
    const store = await StateStore.open(options.directory, onDamage, keyValues)
    const loaded = await store.load()
    if (loaded === undefined) logger.warn('chain state damaged: folding it anew')
    return new Follower(dependencies, options, store, loaded)
  }

  /** What the ledger said up to the cursor. Replaced as a whole after a deep reorganisation. */
  get state(): ChainState {
    return this.#state
  }

  /** Follows until the signal fires. A ledger that cannot be reached is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ended = await this.#follow(signal)
      if (ended === 'stopped') return
      if (ended === 'unreachable') await this.#pause(signal)
      else await this.#startOver()
    }
  }

  /** Resolves once the block of this number, or a later one, is folded. Rejects with `ABORTED`. */
  async reached(block: BlockRef, signal: AbortSignal): Promise<void> {
    while ((this.#state.cursor?.number ?? -1n) < block.number) {
      if (signal.aborted) throw new HoldfastError({ code: 'ABORTED' })
      await this.nextUpdate(signal)
    }
  }

  /** Resolves after the next update, or when the signal fires. */
  nextUpdate(signal: AbortSignal): Promise<void> {
    return nextCall(this.#listeners, signal)
  }

  /** Called after every update, until the returned function is. */
  onUpdate(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #follow(signal: AbortSignal): Promise<'stopped' | 'unreachable' | 'too-deep'> {
    const after = this.#trail.length === 0 ? undefined : [...this.#trail]
    try {
      for await (const update of this.#dependencies.ledger.follow(after, { signal })) {
        if (!(await this.#fold(update))) return 'too-deep'
        for (const listener of [...this.#listeners]) listener()
      }
      return 'stopped'
    } catch (error) {
      if (signal.aborted) return 'stopped'
      if (HoldfastError.is(error, 'CHAIN_UNSUITABLE') && this.#trail.length > 0) return 'too-deep'
      if (!HoldfastError.is(error) || !TRANSPORT.has(error.code)) throw error
      const { code, message: reason } = error
      this.#dependencies.logger.warn('ledger not reached: waiting', { code, reason })
      return 'unreachable'
    }
  }

  async #startOver(): Promise<void> {
    this.#dependencies.logger.warn('reorganisation too deep to take back: folding anew')
    await this.#store.clear()
    this.#state = new ChainState(this.#options)
    this.#trail = []
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const pause = milliseconds(PAUSE_MS)
    await this.#dependencies.clock.sleep(pause, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  async #fold(update: LedgerUpdate): Promise<boolean> {
    const touched = new Set<string>()
    for (const ref of update.reverted) {
      const undo = await this.#store.undoOf(ref)
      if (undo === undefined) return false
      this.#state.revert(undo.change, undo.parent)
      this.#trail.pop()
      for (const key of undo.change.changes.keys()) touched.add(key)
    }
    const applied: { change: BlockChange; parent: BlockRef | undefined }[] = []
    for (const block of update.applied) {
      const parent = this.#state.cursor
      const change = this.#state.apply(block)
      applied.push({ change, parent })
      this.#trail.push(block.ref)
      for (const key of change.changes.keys()) touched.add(key)
    }
    this.#trail = this.#trail.slice(-Number(UNDO_BLOCKS))
    const facts = new Map<string, Fact | undefined>(
      [...touched].map((key) => [key, this.#state.facts.get(key)]),
    )
    const { cursor } = this.#state
    await this.#store.write({ facts, applied, reverted: update.reverted, cursor })
    return true
  }
}
