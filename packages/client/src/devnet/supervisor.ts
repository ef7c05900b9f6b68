/**
 * The devnet as one process: the chain with contracts and randomness (from `@holdfast/chain`) and the
 * providers as child processes. Everything it starts, it stops; after kill -9 of everything the next
 * start clears what was left and continues from the state on disk.
 */
import { type Devnet, startDevnet } from '@holdfast/chain'
import { type Clock, HoldfastError, type Logger, type Seconds } from '@holdfast/protocol'
import { endLeftOver, ProviderChild, type ProviderPlan } from './provider-child.ts'
import { findProviderProgram } from './provider-program.ts'
import {
  type DevnetStatus,
  type ProviderProcess,
  readRunFile,
  removeRunFile,
  writeRunFile,
} from './run-file.ts'

export interface SupervisorDependencies {
  readonly clock: Clock
  readonly logger: Logger
  /** Tells people what happens. */
  readonly note: (text: string) => void
}

export interface DevnetRequest {
  readonly state: string
  readonly period: Seconds
  readonly providers: number
}

/** The devnet has accounts for this many. */
export const DEVNET_PROVIDERS_MAX = 9

const REGIONS = ['eu-central', 'us-east', 'ap-southeast'] as const
/** Tokens per TiB-month; each provider a little dearer than the one before. */
const PRICE_CENTS = 200
const PRICE_STEP_CENTS = 15
/** Per deal and month: enough that a period of seconds pays more than nothing. */
const PROVING_FEE = '5.00'

export class DevnetSupervisor {
  readonly #dependencies: SupervisorDependencies
  readonly #processes = new Map<string, ProviderProcess>()
  #saving: Promise<void> = Promise.resolve()

  constructor(dependencies: SupervisorDependencies) {
    this.#dependencies = dependencies
  }

  /** Runs until the signal fires or the chain dies. `onReady` is called once all providers answer. */
  async run(
    request: DevnetRequest,
    signal: AbortSignal,
    onReady: (status: DevnetStatus) => void,
  ): Promise<void> {
    const { clock, logger } = this.#dependencies
    const before = await readRunFile(request.state)
    const devnet = await startDevnet({
      stateDir: request.state,
      period: request.period,
      clock,
      logger,
    })
    const children: ProviderChild[] = []
    try {
      // The lock on the state is ours now, so whatever an earlier run left is nobody's.
      for (const left of before?.providers ?? []) await endLeftOver(left, clock)
      await this.#startProviders(request, devnet, children)
      const status = (): DevnetStatus => this.#status(request, devnet)
      await writeRunFile(status())
      onReady(status())
      await this.#untilStopped(devnet, signal)
    } finally {
      await Promise.all(children.map((child) => child.stop()))
      await this.#saving
      await removeRunFile(request.state)
      await devnet.close()
    }
  }

  async #startProviders(
    request: DevnetRequest,
    devnet: Devnet,
    children: ProviderChild[],
  ): Promise<void> {
    const { clock, note } = this.#dependencies
    const program = findProviderProgram(process.env)
    for (const plan of planProviders(request, devnet)) {
      const onChange = (changed: ProviderProcess | undefined): void => {
        if (changed === undefined) this.#processes.delete(plan.name)
        else this.#processes.set(plan.name, changed)
        this.#save(request, devnet)
      }
      children.push(new ProviderChild(plan, { program, clock, note, onChange }))
    }
    await Promise.all(children.map((child) => child.start()))
  }

  /** Only after the first complete file: an incomplete one would count as ready. */
  #save(request: DevnetRequest, devnet: Devnet): void {
    this.#saving = this.#saving
      .then(async () => {
        if ((await readRunFile(request.state))?.pid !== process.pid) return
        await writeRunFile(this.#status(request, devnet))
      })
      .catch((error: unknown) => this.#dependencies.note(`the run file: ${String(error)}`))
  }

  #status({ state }: DevnetRequest, { network, networkFile, chainPid }: Devnet): DevnetStatus {
    const providers = [...this.#processes.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    const chain = { pid: chainPid, rpc: network.rpc[0] ?? '' }
    return { state, network: networkFile, pid: process.pid, chain, providers }
  }

  async #untilStopped(devnet: Devnet, signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([aborted, devnet.stopped])
  }
}

/** Regions and prices vary, so that choosing means something. */
export const planProviders = (
  { state, providers }: DevnetRequest,
  devnet: Pick<Devnet, 'accounts' | 'networkFile'>,
): readonly ProviderPlan[] =>
  Array.from({ length: providers }, (_, i) => {
    const name = `provider-${i + 1}`
    const region = REGIONS[i % REGIONS.length]
    if (region === undefined) throw new HoldfastError({ code: 'INVARIANT', sentence: 'a region' })
    return {
      name,
      region,
      price: ((PRICE_CENTS + i * PRICE_STEP_CENTS) / 100).toFixed(2),
      provingFee: PROVING_FEE,
      state,
      network: devnet.networkFile,
      owner: devnet.accounts(`${name}-owner`),
      operator: devnet.accounts(`${name}-operator`),
    }
  })
