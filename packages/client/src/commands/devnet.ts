/** `holdfast devnet up|status|down`: the embedded network with its providers. */
import { resolve } from 'node:path'
import { HoldfastError, seconds } from '@holdfast/protocol'
import { devnetState } from '../config/open-network.ts'
import { detachDevnet } from '../devnet/detach.ts'
import type { DevnetStatus } from '../devnet/run-file.ts'
import { liveStatus, stopDevnet } from '../devnet/run-file.ts'
import { DEVNET_PROVIDERS_MAX, DevnetSupervisor } from '../devnet/supervisor.ts'
import type { CommandResult } from '../ui/output.ts'
import { parseDuration } from '../ui/text.ts'
import type { Register, Runtime } from './runtime.ts'

interface StateFlags {
  readonly state?: string
}

interface UpFlags extends StateFlags {
  readonly detach?: boolean
  readonly period: string
  readonly providers: string
}

export const registerDevnet: Register = (program, run) => {
  const devnet = program.command('devnet').description('an embedded network on this machine')
  devnet
    .command('up')
    .description('start it, or continue it from its state; runs until it is stopped')
    .option('--detach', 'return when it is ready')
    .option('--state <dir>', 'where it keeps everything; <home>/devnet unless given')
    .option('--period <duration>', 'length of a proof period, of a new network', '20s')
    .option('--providers <n>', `providers, at most ${DEVNET_PROVIDERS_MAX}`, '3')
    .action(run<UpFlags>(up))
  devnet
    .command('status')
    .description('is it up, and which processes it has')
    .option('--state <dir>', 'its state directory')
    .action(
      run<StateFlags>(async (runtime, flags) =>
        describe(await liveStatus(stateOf(runtime, flags))),
      ),
    )
  devnet
    .command('down')
    .description('stop it; its state stays')
    .option('--state <dir>', 'its state directory')
    .action(
      run<StateFlags>(async (runtime, flags) => {
        const state = stateOf(runtime, flags)
        await stopDevnet(state, runtime.clock)
        return { value: { state, stopped: true }, text: `stopped; its state is in ${state}` }
      }),
    )
}

const stateOf = ({ settings }: Runtime, { state }: StateFlags): string =>
  resolve(state ?? devnetState(settings.home.value))

const up = async (runtime: Runtime, flags: UpFlags): Promise<CommandResult> => {
  const state = stateOf(runtime, flags)
  const period = seconds(parseDuration(flags.period))
  const providers = parseProviders(flags.providers)
  if (flags.detach === true) {
    const { clock, signal } = runtime
    return describe(await detachDevnet({ state, period, providers, clock, signal }))
  }
  const { clock, logger, signal, output } = runtime
  const supervisor = new DevnetSupervisor({ clock, logger, note: (text) => output.note(text) })
  await supervisor.run({ state, period, providers }, signal, (status) => {
    // Its result is that it is up; what follows until it is stopped prints nothing more on stdout.
    if (output.json) output.result(describe(status))
    output.note(describe(status).text)
  })
  return { value: undefined, text: '' }
}

const parseProviders = (text: string): number => {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 0 && count <= DEVNET_PROVIDERS_MAX) return count
  const reason = `--providers ${text} is not a number from 0 to ${DEVNET_PROVIDERS_MAX}`
  throw new HoldfastError({ code: 'USAGE', reason })
}

const describe = (status: DevnetStatus): CommandResult => {
  const lines = status.providers.map(
    ({ name, provider, pid, grpc, http }) =>
      `${name}  ${provider}  process ${pid}  grpc ${grpc}  ${http}`,
  )
  const head = [`devnet is up: process ${status.pid}`, `network  ${status.network}`]
  const next = `next     holdfast init --network ${status.network}`
  return { value: status, text: [...head, ...lines, next].join('\n') }
}
