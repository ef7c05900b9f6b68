/** `holdfast pack <path> --out <car>`: the payload as a CARv1 file, offline. */
import { rename } from 'node:fs/promises'
import { toNumber } from '@holdfast/protocol'
import { packTo } from '../pack.ts'
import { formatBytes } from '../ui/text.ts'
import { type PackFlags, packOptions, withPackFlags } from './pack-flags.ts'
import type { Register } from './runtime.ts'

interface Flags extends PackFlags {
  readonly out: string
}

export const registerPack: Register = (program, run) => {
  withPackFlags(program.command('pack <path>'))
    .description('write the payload as a CARv1 file, offline')
    .requiredOption('--out <car>', 'the file to write')
    .action(
      run<Flags>(async (runtime, flags, path = '') => {
        const partial = `${flags.out}.partial`
        const packed = await packTo(path, partial, packOptions(runtime, flags))
        await rename(partial, flags.out)
        const dataset = packed.root.toString()
        const { profile, hash, files, blocks } = packed
        const sizes = { bytes: toNumber(packed.bytes), length: toNumber(packed.length) }
        return {
          value: { dataset, out: flags.out, profile, hash, files, blocks, ...sizes },
          text: `${dataset}  ${flags.out}  ${formatBytes(packed.length)}, ${blocks} blocks`,
        }
      }),
    )
}
