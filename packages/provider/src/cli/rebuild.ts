/**
 * `rebuild`: forgets the indexes and reads them from the sectors again; with `--deep` from the records
 * themselves, writing footers anew. The node must not be running.
 */
import { formatBytes } from '../quantity.ts'
import { withOfflineHome } from './offline.ts'
import type { CommandResult } from './output.ts'

export interface RebuildFlags {
  readonly home: string
  readonly deep?: boolean
}

export const rebuild = ({ home, deep = false }: RebuildFlags): Promise<CommandResult> =>
  withOfflineHome(
    home,
    async ({ store }) => {
      const volumes = store.status()
      const lines = volumes.map(
        ({ directory, payloads, used }) =>
          `${directory}: ${payloads} payloads, ${formatBytes(used)}`,
      )
      return { json: { deep, volumes }, lines }
    },
    { rebuild: deep ? 'deep' : 'index' },
  )
