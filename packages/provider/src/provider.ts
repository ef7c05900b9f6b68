/**
 * A provider as a whole: opened from its home, run until told to stop, closed in reverse.
 *
 * Stopping order: no new requests, running uploads end, duties in hand end, follower, stores.
 */
import { registerOperations } from './admin/operations.ts'
import { AdminServer } from './admin/server.ts'
import { Dashboard } from './dashboard/dashboard.ts'
import { StakeKeeper } from './duties/stake-keeper.ts'
import { lockHome } from './home.ts'
import { hostAndPort } from './host-and-port.ts'
import { Denylist } from './http/denylist.ts'
import { progressRule } from './http/progress-watch.ts'
import { HttpServer } from './http/server.ts'
import { ConnectionGuard } from './limits/connection-guard.ts'
import { nodeHealth, nodeMetrics, type ReportedNode } from './node-report.ts'
import { OperatorDesk } from './operator-desk.ts'
import { closeCore, recoverCore, runCore } from './provider-core.ts'
import {
  openParts,
  type ProviderDependencies,
  type ProviderOptions,
  type ProviderParts,
} from './provider-parts.ts'
import { RpcServer } from './rpc/server.ts'
import { TaskGroup } from './task-group.ts'

/** Where a running provider answers. */
export interface ProviderEndpoints {
  readonly grpc: string
  readonly http: string
}

export class Provider {
  readonly #dependencies: ProviderDependencies
  readonly #options: ProviderOptions
  readonly #parts: ProviderParts
  readonly #tasks = new TaskGroup()
  readonly #desk: OperatorDesk
  readonly #dashboard: Dashboard
  readonly #admin: AdminServer
  readonly #guards: { readonly grpc: ConnectionGuard; readonly http: ConnectionGuard }
  readonly #stopAsked: { readonly promise: Promise<void>; readonly resolve: () => void }
  #rpc: RpcServer | undefined
  #http: HttpServer | undefined

  private constructor(
    dependencies: ProviderDependencies,
    options: ProviderOptions,
    parts: ProviderParts,
    seen: { readonly desk: OperatorDesk; readonly dashboard: Dashboard },
  ) {
    this.#dependencies = dependencies
    this.#options = options
    this.#parts = parts
    const { desk, dashboard } = seen
    this.#desk = desk
    this.#dashboard = dashboard
    this.#admin = new AdminServer({ registry: parts.admin, logger: dependencies.logger })
    this.#stopAsked = promised()
    registerOperations(parts.admin, {
      status: () => desk.status(),
      shutdown: () => this.#stopAsked.resolve(),
      reload: () => this.reload(),
      renewCertificate: () => parts.tls.renew(),
    })
    const { live } = parts
    const watched = { limits: () => live.limits, clock: dependencies.clock }
    this.#guards = {
      grpc: new ConnectionGuard({ ...watched, bytesPerSecond: (l) => l.callBytesPerSecond }),
      http: new ConnectionGuard(watched),
    }
    desk.register(parts.admin)
    dashboard.register(parts.admin)
  }

  /**
   * Takes the home's lock and recovers everything; serves nothing yet.
   * @throws HoldfastError `HOME_IN_USE`, `STORE_CORRUPT`, `CONFIG_INVALID`, `INPUT_UNREADABLE`.
   */
  static async open(
    dependencies: ProviderDependencies,
    options: ProviderOptions,
  ): Promise<Provider> {
    const lock = await lockHome(options.paths)
    try {
      const parts = await openParts(dependencies, options, lock)
      await recoverCore(parts, dependencies.logger)
      const { paths, software } = options
      const place = { paths, software, live: parts.live }
      const desk = await OperatorDesk.open(dependencies, place, parts)
      const dashboard = await Dashboard.open(dependencies, options, desk)
      return new Provider(dependencies, options, parts, { desk, dashboard })
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** What the operator sees. */
  get desk(): OperatorDesk {
    return this.#desk
  }

  get parts(): ProviderParts {
    return this.#parts
  }

  /** Starts following, performing and serving. */
  async start(): Promise<ProviderEndpoints> {
    runCore(this.#tasks, this.#parts, this.#dependencies)
    this.#tasks.run('index', (signal) => this.#parts.catalogue.run(signal))
    this.#tasks.run('watch connections', (signal) => this.#guards.grpc.run(signal))
    this.#tasks.run('keep certificate', (signal) => this.#parts.tls.run(signal))
    this.#keepStake()
    this.#desk.run(this.#tasks)
    await this.#dashboard.start(this.#tasks)
    const { host, grpcPort, httpPort } = this.#options.config
    this.#rpc = this.#rpcServer()
    this.#http = this.#httpServer()
    const grpc = await this.#rpc.listen(host, grpcPort)
    const http = await this.#http.listen(host, httpPort)
    await this.#listenForOperator()
    return { grpc: hostAndPort(host, grpc), http: `https://${hostAndPort(host, http)}` }
  }

  /** Proofs need no operator: without room for the socket the node starts, and listens when there is. */
  async #listenForOperator(): Promise<void> {
    const { admin } = this.#options.paths
    if (await this.#admin.listen(admin)) return
    const { clock } = this.#dependencies
    this.#tasks.run('admin socket', (signal) => this.#admin.listenLater(admin, { clock, signal }))
  }

  /** Resolves when the provider was stopped; rejects with the reason when it cannot go on. */
  running(): Promise<void> {
    return this.#tasks.done()
  }

  /** Reads configuration and certificate again. @throws HoldfastError; then the former ones stay. */
  async reload(): Promise<object> {
    const { live, tls } = this.#parts
    const configured = await live.reload()
    return { ...configured, certificate: (await tls.reload()) ? 'exchanged' : 'as before' }
  }

  /** Resolves when the operator asked the node to stop, over its admin socket. */
  get stopAsked(): Promise<void> {
    return this.#stopAsked.promise
  }

  /** Drains: running requests may end until the signal fires. May be called once. */
  async stop(cut: AbortSignal): Promise<void> {
    await Promise.all([this.#rpc?.close(cut), this.#http?.close(cut)])
    await this.#admin.close()
    await this.#dashboard.close()
    await this.#tasks.stop().finally(() => this.#closeParts())
  }

  async #closeParts(): Promise<void> {
    const { lock, catalogue } = this.#parts
    await this.#desk.close()
    await catalogue.close()
    await closeCore(this.#parts)
    await lock.release()
  }

  #keepStake(): void {
    const { owner, clock, logger } = this.#dependencies
    const { provider, stake } = this.#options.config
    if (owner === undefined || stake === undefined) return
    const { keepAt } = stake
    const keeper = new StakeKeeper({ owner, provider, keepAt, clock, logger })
    this.#tasks.run('keep stake', (signal) => keeper.run(signal))
  }

  #rpcServer(): RpcServer {
    const { service, tls, calls, admission } = this.#parts
    const { logger, clock } = this.#dependencies
    const guard = this.#guards.grpc
    return new RpcServer({ service, tls, calls, guard, admission, clock, logger })
  }

  #httpServer(): HttpServer {
    const { intake, holdings, bundles, tls, admission, checksum, catalogue, live } = this.#parts
    const { clock, logger } = this.#dependencies
    const report = this.#report()
    return new HttpServer({
      intake,
      holdings,
      bundles,
      tls,
      admission,
      guard: this.#guards.http,
      clock,
      logger,
      progress: () => progressRule(live.limits),
      checksum,
      catalogue,
      denylist: new Denylist(this.#options.paths.denylist, { clock, logger }),
      onServed: (root, count) => this.#desk.served(root, count),
      health: () => nodeHealth(report),
      metrics: async () => nodeMetrics(report, await this.#desk.status()),
    })
  }

  #report(): ReportedNode {
    const { live } = this.#parts
    const { clock, ledger, network, operator } = this.#dependencies
    const outside = { clock, ledger, network, operator }
    return { ...this.#parts, config: live.current, ...outside, guards: this.#guards }
  }
}

/** A promise and how to resolve it. */
const promised = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
