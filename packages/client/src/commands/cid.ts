/** `holdfast cid <path>`: the root CID, offline. */
import { toNumber } from '@holdfast/protocol'
import { computeCid } from '../pack.ts'
import { type PackFlags, packOptions, withPackFlags } from './pack-flags.ts'
import type { Register } from './runtime.ts'

export const registerCid: Register = (program, run) => {
  withPackFlags(program.command('cid <path>'))
    .description('root CID of a file or directory, offline')
    .action(
      run<PackFlags>(async (runtime, flags, path = '') => {
        const result = await computeCid(path, packOptions(runtime, flags))
        const cid = result.root.toString()
        const { kind, files, profile, hash } = result
        const bytes = toNumber(result.bytes)
        return { value: { cid, profile, hash, kind, files, bytes }, text: cid }
      }),
    )
}
