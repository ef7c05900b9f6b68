/**
 * The operator's side of a node: books, status, alarms and what the admin socket answers about them.
 * Looks at the node's parts and changes none; when all of this fails, proofs go on.
 *
 * Order of life: `open` reads the books, `run` starts its tasks, `close` writes the books down.
 */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { LedgerReader, NetworkParams } from '@holdfast/chain'
import {
  type Clock,
  HoldfastError,
  type Logger,
  periodAt,
  type Root,
  type Signer,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { type AdminInput, type AdminRegistry, adminText } from './admin/registry.ts'
import { AlarmBoard } from './alarms/alarm-board.ts'
import { ALARM_LIMITS, findingsAt } from './alarms/alarm-rules.ts'
import { Webhook, type WebhookOptions } from './alarms/webhook.ts'
import type { ProviderConfig } from './config.ts'
import { Accounts } from './earnings/accounts.ts'
import { Bookkeeper } from './earnings/bookkeeper.ts'
import { type Earnings, earningsOf } from './earnings/earnings.ts'
import { proofRecord } from './earnings/period-record.ts'
import { windowFor } from './earnings/series.ts'
import type { HomePaths } from './home.ts'
import type { LiveConfig } from './live-config.ts'
import type { ProviderParts } from './provider-parts.ts'
import { ChainWatch } from './status/chain-watch.ts'
import { type DealRow, openDealRow, promisedDealRow } from './status/deal-rows.ts'
import { LoopDelay } from './status/loop-delay.ts'
import type { NodeStatus } from './status/node-status.ts'
import type { SafeToStop } from './status/safe-to-stop.ts'
import { type StatusExtras, StatusSource } from './status/status-source.ts'
import type { TaskGroup } from './task-group.ts'
import { pauseUntilNews, Wake } from './wake.ts'

export interface DeskDependencies {
  readonly ledger: Pick<
    LedgerReader,
    'gasBalance' | 'balance' | 'provider' | 'seed' | 'minimumStake'
  >
  readonly network: NetworkParams
  readonly operator: Signer
  readonly clock: Clock
  readonly logger: Logger
  readonly alarms?: AlarmBoard
}

export interface DeskOptions {
  readonly paths: HomePaths
  readonly live: LiveConfig
  readonly software: string
}

/** Rules are applied after news, at most this often, and at least every five seconds. */
const RULES_PAUSE_MS = 1000
const RULES_EVERY_MS = 5000

export class OperatorDesk {
  readonly board: AlarmBoard
  readonly #dependencies: DeskDependencies
  readonly #options: DeskOptions
  readonly #parts: ProviderParts
  readonly #accounts: Accounts
  readonly #bookkeeper: Bookkeeper
  readonly #watch: ChainWatch
  readonly #loop = new LoopDelay()
  readonly #source: StatusSource
  readonly #webhook: Webhook
  readonly #extras: StatusExtras
  #secret: Uint8Array | undefined

  private constructor(
    dependencies: DeskDependencies,
    options: DeskOptions,
    parts: ProviderParts,
    kept: {
      readonly accounts: Accounts
      readonly board: AlarmBoard
      readonly extras: StatusExtras
    },
  ) {
    const { follower } = parts
    const { live, software } = options
    this.#dependencies = dependencies
    this.#options = options
    this.#parts = parts
    this.board = kept.board
    this.#accounts = kept.accounts
    this.#extras = kept.extras
    this.#bookkeeper = new Bookkeeper({ ...dependencies, ...kept, follower })
    this.#watch = new ChainWatch(dependencies.clock)
    this.#source = new StatusSource({
      ...dependencies,
      ...parts,
      ...kept,
      config: () => live.current,
      configProblem: () => live.problem,
      software,
      certificate: () => ({
        expires: expiryOf(parts.tls.current.certPem),
        problem: parts.tls.problem,
      }),
      loopDelaySeconds: () => this.#loop.seconds,
      watch: this.#watch,
    })
    this.#webhook = new Webhook(dependencies, () => this.#webhookOptions())
  }

  /** Reads the books and the webhook's secret. @throws HoldfastError `INPUT_UNREADABLE`. */
  static async open(
    dependencies: DeskDependencies,
    options: DeskOptions,
    parts: ProviderParts,
    extras: StatusExtras = {},
  ): Promise<OperatorDesk> {
    const { clock, logger } = dependencies
    const now = timestamp(Math.floor(clock.now() / 1000))
    const accounts = await Accounts.open(options.paths.accounts, now, logger)
    const board = dependencies.alarms ?? new AlarmBoard({ clock, logger })
    const desk = new OperatorDesk(dependencies, options, parts, { accounts, board, extras })
    try {
      await desk.#readSecret(options.live.current)
    } catch (error) {
      await accounts.close()
      throw error
    }
    options.live.onReload((found) => desk.#readSecret(found))
    parts.performer.onPerformed((duty, receipt) => desk.#bookkeeper.performed(duty, receipt))
    board.onChange((change) => desk.#webhook.tell(change))
    return desk
  }

  /** Starts the tasks: books, alarms, webhook, measuring. */
  run(tasks: TaskGroup): void {
    tasks.run('books', (signal) => this.#bookkeeper.run(signal))
    tasks.run('alarms', (signal) => this.#watchRules(signal))
    tasks.run('webhook', (signal) => this.#webhook.run(signal))
    tasks.run('loop delay', (signal) => this.#loop.run(this.#dependencies.clock, signal))
  }

  /** Counts payload bytes that left. */
  served(root: Root, count: number): void {
    this.#bookkeeper.served(root, count)
  }

  close(): Promise<void> {
    return this.#accounts.close()
  }

  /** Resolves after the next block or change of an alarm, or when the signal fires. */
  async nextNews(signal: AbortSignal): Promise<void> {
    const heard = new AbortController()
    const stop = AbortSignal.any([signal, heard.signal])
    const forget = this.board.onChange(() => heard.abort())
    await this.#parts.follower.nextUpdate(stop)
    forget()
  }

  /** Answered from memory, so it can be asked when the chain cannot. */
  async safeToStop(): Promise<SafeToStop> {
    return (await this.#source.status()).safeToStop
  }

  async status(): Promise<NodeStatus> {
    await this.#source.refresh()
    return this.#source.status()
  }

  /** What deals earned and cost. */
  earnings(by?: 'day' | 'period'): Promise<Earnings> {
    const { network } = this.#dependencies
    const { follower } = this.#parts
    const { state } = follower
    const tip = state.cursor
    const now = periodAt(network, tip?.timestamp ?? network.genesis)
    return earningsOf({
      deals: state.deals().map((fact) => ({
        ...fact,
        id: fact.deal,
        client: fact.terms.client,
        root: fact.terms.root,
      })),
      record: proofRecord(state, network),
      network,
      token: this.#config.token,
      accounts: this.#accounts,
      window: windowFor(network.period, now, by),
      lastScrub: (root) => this.#extras.lastScrub?.(root),
    })
  }

  /** Every deal, open ones in the order of their opening, then those that are not open yet. */
  async deals(earnings?: Earnings): Promise<readonly DealRow[]> {
    const { network } = this.#dependencies
    const { follower, book, holdings } = this.#parts
    const { state } = follower
    const lines = new Map(
      (earnings ?? (await this.earnings())).deals.map((line) => [line.deal, line]),
    )
    const tip = state.cursor
    const now = tip === undefined ? undefined : periodAt(network, tip.timestamp)
    const open = state.deals().map((fact) =>
      openDealRow(fact, lines.get(fact.deal), {
        now,
        damage: holdings.damageOf(fact.terms.root),
      }),
    )
    const promised = [...book.promises.deals.values()]
      .filter(({ deal }) => state.deal(deal) === undefined)
      .map(promisedDealRow)
    return [...open, ...promised]
  }

  /** Registers what the commands ask. */
  register(registry: AdminRegistry): void {
    registry.handle('deals', async () => ({ deals: await this.deals() }))
    registry.handle('earnings', (input) => this.earnings(seriesBy(input)))
    registry.handle('alarms', () => ({ alarms: this.board.alarms }))
  }

  get #config(): ProviderConfig {
    return this.#options.live.current
  }

  /** Applies the rules until the signal fires; what goes wrong in that is logged, never thrown. */
  async #watchRules(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#dependencies
    const { follower, performer } = this.#parts
    // Rung while the rules rest or run: what was noticed meanwhile is looked at next.
    const news = new Wake()
    const forgetUpdates = follower.onUpdate(() => {
      this.#watch.note(follower.state.cursor)
      news.ring()
    })
    const forgetFailures = performer.onFailed(() => news.ring())
    try {
      while (!signal.aborted) {
        await this.#applyRules(signal).catch((error: unknown) => {
          const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
          logger.error('alarm rules failed by our own fault', { reason })
        })
        const bounds = { leastMs: RULES_PAUSE_MS, mostMs: RULES_EVERY_MS, signal }
        await pauseUntilNews(clock, (stop) => news.wait(stop), bounds)
      }
    } finally {
      forgetUpdates()
      forgetFailures()
    }
  }

  async #applyRules(signal: AbortSignal): Promise<void> {
    await this.#source.refresh({ signal })
    const limits = { ...ALARM_LIMITS, ...this.#config.alarms?.limits }
    this.board.observe(findingsAt(await this.#source.ruleInput(), limits))
  }

  #webhookOptions(): WebhookOptions | undefined {
    const url = this.#config.alarms?.webhook
    if (url === undefined) return undefined
    return { url, secret: this.#secret, provider: this.#config.provider }
  }

  async #readSecret({ alarms }: ProviderConfig): Promise<void> {
    const path = alarms?.webhookSecretFile
    if (path === undefined) {
      this.#secret = undefined
      return
    }
    const text = await readFile(path).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
    })
    this.#secret = new Uint8Array(
      Buffer.from(text.toString('latin1').replace(/\r?\n$/, ''), 'latin1'),
    )
  }
}

const expiryOf = (certPem: string): Timestamp =>
  timestamp(Math.floor(new Date(new X509Certificate(certPem).validTo).getTime() / 1000))

const seriesBy = (input: AdminInput): 'day' | 'period' | undefined => {
  if (input['by'] === undefined) return undefined
  const by = adminText(input, 'by', 16)
  if (by === 'day' || by === 'period') return by
  throw new HoldfastError({ code: 'MESSAGE_INVALID', field: 'by', reason: 'day or period' })
}
