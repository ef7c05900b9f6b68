/**
 * The dashboard as a part of the node: its token, its listener, its place in the home, and the one-time
 * links that the admin socket gives to the command line.
 */
import { readFile } from 'node:fs/promises'
import type { NetworkParams } from '@holdfast/chain'
import type { Clock, Logger, Random } from '@holdfast/protocol'
import type { AdminRegistry } from '../admin/registry.ts'
import type { ProviderConfig } from '../config.ts'
import type { HomePaths } from '../home.ts'
import type { OperatorDesk } from '../operator-desk.ts'
import { errnoOf } from '../store/disk-errors.ts'
import { writeDurably } from '../store/volume-files.ts'
import type { TaskGroup } from '../task-group.ts'
import { Access } from './access.ts'
import { readAssets } from './assets.ts'
import { DashboardServer } from './server.ts'
import { viewOf } from './view.ts'

export interface DashboardPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly network: NetworkParams
  readonly operator: { readonly address: ProviderConfig['provider'] }
}

export interface DashboardPlace {
  readonly paths: HomePaths
  readonly config: ProviderConfig
}

const HOST = '127.0.0.1'

export class Dashboard {
  readonly #server: DashboardServer
  readonly #access: Access
  readonly #place: DashboardPlace
  readonly #logger: Logger
  #url: string | undefined

  private constructor(
    server: DashboardServer,
    access: Access,
    place: DashboardPlace,
    logger: Logger,
  ) {
    this.#server = server
    this.#access = access
    this.#place = place
    this.#logger = logger
  }

  /** Reads the page and the token; makes the token the first time. */
  static async open(
    ports: DashboardPorts,
    place: DashboardPlace,
    desk: OperatorDesk,
  ): Promise<Dashboard> {
    const { clock, random, logger, network, operator } = ports
    const { provider, token: tokenAddress } = place.config
    const token = await localToken(place.paths.dashboardToken, random)
    const signers = [operator.address, provider]
    const access = new Access({ clock, random, token, provider, signers })
    const known = network.tokens.find(({ address }) => address === tokenAddress)
    const money = { symbol: known?.symbol ?? '', decimals: known?.decimals ?? 0 }
    const server = new DashboardServer({
      ...{ access, clock, logger, assets: await readAssets() },
      nextNews: (signal) => desk.nextNews(signal),
      view: async () => {
        const earnings = await desk.earnings()
        return viewOf(money, await desk.status(), earnings, await desk.deals(earnings))
      },
    })
    return new Dashboard(server, access, place, logger)
  }

  /** Serves the page; a port that is taken costs the page, not the node. */
  async start(tasks: TaskGroup): Promise<void> {
    const { host = HOST, port = 0, off = false } = this.#place.config.dashboard ?? {}
    if (off) return
    try {
      this.#url = await this.#server.listen(host, port)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#logger.error('dashboard not served', { reason })
      return
    }
    this.#logger.info('dashboard served', { url: this.#url })
    tasks.run('dashboard', (signal) => this.#server.run(signal))
  }

  /** Registers `dashboard/link`: an address that logs in once, within five minutes. */
  register(registry: AdminRegistry): void {
    registry.handle('dashboard/link', () => {
      const url = this.#url
      return url === undefined ? { off: true } : { url, link: `${url}/#${this.#access.mintCode()}` }
    })
  }

  async close(): Promise<void> {
    if (this.#url !== undefined) await this.#server.close()
  }
}

const localToken = async (path: string, random: Random): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    const token = Buffer.from(random.bytes(32)).toString('base64url')
    await writeDurably(path, `${token}\n`)
    return token
  }
}
