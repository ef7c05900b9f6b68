/** `holdfast commit <file|->`: the payload commitment, offline. */
import { stat } from 'node:fs/promises'
import {
  bytes,
  type Commitment,
  HoldfastError,
  type SchemeId,
  schemeId,
  schemeName,
  toNumber,
} from '@holdfast/protocol'
import { openProver, type Prover, pieceCid, treeDepth, treeLeaves } from '@holdfast/prover'
import type { Register, Runtime } from './runtime.ts'

interface Flags {
  readonly scheme: string
}

export const registerCommit: Register = (program, run) => {
  program
    .command('commit <file>')
    .description('payload commitment of a file, or of stdin with "-", offline')
    .option('--scheme <name>', 'sha256-1k or commp', 'sha256-1k')
    .action(
      run<Flags>(async (runtime, flags, file = '') => {
        const scheme = schemeId(flags.scheme)
        const prover = await openProver()
        try {
          const commitment = await commit(runtime, prover, { file, scheme })
          const { root, length } = commitment
          const value = {
            scheme: schemeName(scheme),
            root,
            length: toNumber(length),
            leaves: toNumber(treeLeaves(scheme, length)),
            depth: treeDepth(scheme, length),
            ...(scheme === 2 ? { pieceCid: pieceCid(commitment) } : {}),
          }
          return { value, text: value.pieceCid === undefined ? root : `${root}  ${value.pieceCid}` }
        } finally {
          await prover.close()
        }
      }),
    )
}

const commit = async (
  runtime: Runtime,
  prover: Prover,
  { file, scheme }: { readonly file: string; readonly scheme: SchemeId },
): Promise<Commitment> => {
  const { progress, signal } = runtime
  const total = file === '-' ? undefined : await fileLength(file)
  const phase = progress.phase('committing', total)
  let done = 0n
  const options = {
    scheme,
    signal,
    onProgress: ({ hashedBytes }: { readonly hashedBytes: bigint }): void => {
      phase.advance(bytes(hashedBytes > done ? hashedBytes - done : 0n))
      done = hashedBytes
    },
  }
  try {
    if (total === undefined) return await prover.commitStream(process.stdin, options)
    return await prover.commitFile({ path: file, offset: bytes(0n), length: total }, options)
  } finally {
    phase.end()
  }
}

const fileLength = async (path: string): Promise<ReturnType<typeof bytes>> => {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new HoldfastError({ code: 'FILE_NOT_FOUND', path })
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason: cause.message })
  })
  if (found.isFile()) return bytes(found.size)
  const reason = 'it is not a file; for a directory use holdfast pack first'
  throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason })
}
