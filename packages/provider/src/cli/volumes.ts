/**
 * `volumes list|add|drain|remove`: a running node does it over its admin socket; otherwise the command
 * opens the home itself. Either way the configuration is changed too.
 */
import { resolve } from 'node:path'
import { bytes, HoldfastError } from '@holdfast/protocol'
import { holderOf } from '@holdfast/prover'
import { askAdmin } from '../admin/client.ts'
import { homePaths } from '../home.ts'
import { formatBytes, parseBytes } from '../quantity.ts'
import { VolumeOperations } from '../store/volume-operations.ts'
import { withOfflineHome } from './offline.ts'
import { type CommandResult, toJson } from './output.ts'

export interface VolumesFlags {
  readonly home: string
  readonly capacity?: string
}

export const VOLUME_ACTIONS = ['list', 'add', 'drain', 'remove'] as const
export type VolumeAction = (typeof VOLUME_ACTIONS)[number]

type Answer = Readonly<Record<string, unknown>>

export const volumes = async (
  action: VolumeAction,
  directory: string | undefined,
  flags: VolumesFlags,
): Promise<CommandResult> => {
  const input = inputOf(action, directory, flags)
  const paths = homePaths(resolve(flags.home))
  const running = (await holderOf(paths.lock)) !== undefined
  const answer: Answer = running
    ? await askAdmin(paths.admin, `volumes/${action}`, input)
    : await withOfflineHome(flags.home, async ({ store: set, holdings, paths: home, logger }) =>
        perform(new VolumeOperations({ set, holdings, paths: home, logger }), action, input),
      )
  return { json: answer, lines: linesOf(action, answer) }
}

const inputOf = (
  action: VolumeAction,
  directory: string | undefined,
  { capacity }: VolumesFlags,
): { readonly directory?: string; readonly capacity?: string } => {
  if (action === 'list') return {}
  const missing = (reason: string): never => {
    throw new HoldfastError({ code: 'USAGE', reason })
  }
  const place = directory === undefined ? missing('name the directory of the volume') : directory
  if (action !== 'add') return { directory: resolve(place) }
  const size =
    capacity === undefined ? missing('say how much of it may be taken: --capacity') : capacity
  return { directory: resolve(place), capacity: parseBytes('--capacity', size).toString() }
}

const perform = async (
  operations: VolumeOperations,
  action: VolumeAction,
  { directory = '', capacity = '0' }: { readonly directory?: string; readonly capacity?: string },
): Promise<Answer> => {
  switch (action) {
    case 'list':
      return asAnswer({ volumes: operations.list() })
    case 'add':
      return asAnswer(await operations.add(directory, bytes(BigInt(capacity))))
    case 'drain':
      return asAnswer(await operations.drain(directory))
    case 'remove':
      await operations.remove(directory)
      return { removed: true }
  }
}

/** As it comes over the socket: big integers are text. */
const asAnswer = (value: object): Answer => ({ ...JSON.parse(toJson(value)) })

const linesOf = (action: VolumeAction, answer: Answer): readonly string[] => {
  const list = Array.isArray(answer['volumes']) ? answer['volumes'] : [answer]
  switch (action) {
    case 'list':
    case 'add':
      return list.map((volume: Answer) => lineOf(volume))
    case 'drain': {
      const { moved, damaged } = answer
      const left = Array.isArray(damaged) ? damaged.length : 0
      return [`${moved} payloads moved${left === 0 ? '' : `; ${left} are damaged and stay`}`]
    }
    case 'remove':
      return ['removed; its directory is still there']
  }
}

const lineOf = ({ directory, condition, reason, payloads, used, capacity }: Answer): string => {
  const of = `${formatBytes(BigInt(String(used)))} of ${formatBytes(BigInt(String(capacity)))}`
  return `${directory}: ${condition}${typeof reason === 'string' ? ` (${reason})` : ''}, ${payloads} payloads, ${of}`
}
