/** `holdfast ls`, `cat`, `get`, `verify`: reads that check every byte against the dataset's CID. */
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '@holdfast/chain'
import { bytes, EXIT_CODES, HoldfastError, toNumber } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { type Difference, differences } from '../retrieve/compare.ts'
import type { LeftReplica } from '../retrieve/replica-set.ts'
import { listEntries, type OpenNode, readFile } from '../retrieve/unixfs-reader.ts'
import { writeTree } from '../retrieve/write-tree.ts'
import { type OpenDataset, openDataset, parseAddress } from '../retrieve.ts'
import { errorText } from '../ui/error-text.ts'
import type { CommandResult } from '../ui/output.ts'
import { formatBytes, printable } from '../ui/text.ts'
import { BLAKE3_CODE, openHasher } from '../unixfs/block-hasher.ts'
import { importTree } from '../unixfs/import-tree.ts'
import { profileOf } from '../unixfs/profiles.ts'
import { openSource } from '../unixfs/source-tree.ts'
import { parseRange } from './range-flag.ts'
import type { Register, Runtime } from './runtime.ts'
import { withNetwork } from './session.ts'

interface RangeFlags {
  readonly range?: string
}

interface GetFlags extends RangeFlags {
  readonly out?: string
}

interface VerifyFlags {
  readonly profile?: string
  readonly hidden?: boolean
}

export const registerRead: Register = (program, run) => {
  program
    .command('ls <dataset>')
    .description('what a dataset or a directory in it holds: <dataset>[/path]')
    .action(run((runtime, _flags: unknown, address = '') => list(runtime, address)))
  program
    .command('cat <file>')
    .description('a file to stdout: <dataset>[/path]')
    .option('--range <a-b>', 'only these bytes, both included')
    .action(run<RangeFlags>((runtime, flags, address = '') => cat(runtime, flags, address)))
  program
    .command('get <dataset>')
    .description('a file or a directory to disk: <dataset>[/path]')
    .option('--out <path>', 'where to, - for stdout; the last part of the address unless given')
    .option('--range <a-b>', 'only these bytes of a file, both included')
    .action(run<GetFlags>((runtime, flags, address = '') => get(runtime, flags, address)))
  program
    .command('verify <dataset> <dir>')
    .description('compare a directory with a dataset and name every difference')
    .option('--profile <name>', 'CID profile, when it is not the usual one')
    .option('--hidden', 'include entries whose names start with a dot')
    .action(run<VerifyFlags>((runtime, flags, ...rest) => verify(runtime, flags, rest)))
}

/** Opens what an address names; replicas that fail are named on stderr. */
const withDataset = <T>(
  runtime: Runtime,
  root: CID,
  act: (dataset: OpenDataset) => Promise<T>,
): Promise<T> =>
  withNetwork(runtime, async ({ ledger, connect, options }) => {
    const onLeft = ({ provider, error }: LeftReplica): void =>
      runtime.output.warn(`left provider ${provider}: ${errorText(error)}`)
    const dataset = await openDataset(
      { ledger, connect, clock: systemClock, onLeft },
      root,
      options,
    )
    try {
      return await act(dataset)
    } finally {
      await dataset.close()
    }
  })

const leftValue = ({ left }: OpenDataset): unknown =>
  left.map(({ provider, deal, error }) => ({
    provider,
    deal,
    code: error.code,
    message: errorText(error),
  }))

const list = (runtime: Runtime, text: string): Promise<CommandResult> => {
  const { root, path } = parseAddress(text)
  return withDataset(runtime, root, async (dataset) => {
    const node = await dataset.resolve(path)
    const found = node.kind === 'directory' ? await listDirectory(dataset, node) : [entryOf(node)]
    const value = {
      dataset: root.toString(),
      path: path.join('/'),
      kind: node.kind,
      entries: found,
      left: leftValue(dataset),
    }
    const lines = found.map(({ cid, size, name }) => `${cid}  ${size}  ${printable(name)}`)
    return { value, text: lines.join('\n') }
  })
}

interface ListEntry {
  readonly name: string
  readonly cid: string
  /** Bytes of all blocks below a directory's entry, of the file for a file itself. */
  readonly size: number
}

const listDirectory = async (
  { blocks }: OpenDataset,
  node: OpenNode & { kind: 'directory' },
): Promise<readonly ListEntry[]> => {
  const entries: ListEntry[] = []
  for await (const { name, cid, tsize } of listEntries(blocks, node)) {
    entries.push({ name, cid: cid.toString(), size: toNumber(tsize) })
  }
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

const entryOf = (node: OpenNode): ListEntry => ({
  name: '',
  cid: node.cid.toString(),
  size: node.kind === 'file' ? toNumber(node.size) : 0,
})

const fileAt = async (
  dataset: OpenDataset,
  path: readonly string[],
): Promise<OpenNode & { kind: 'file' }> => {
  const node = await dataset.resolve(path)
  if (node.kind === 'file') return node
  const reason = `${path.join('/') || 'the dataset'} is a ${node.kind}, not a file`
  throw new HoldfastError({ code: 'USAGE', reason })
}

const cat = (runtime: Runtime, flags: RangeFlags, text: string): Promise<CommandResult> => {
  if (runtime.output.json) {
    const reason = 'cat writes the bytes themselves; for a JSON value use get --json'
    throw new HoldfastError({ code: 'USAGE', reason })
  }
  const { root, path } = parseAddress(text)
  return withDataset(runtime, root, async (dataset) => {
    const node = await fileAt(dataset, path)
    const span = parseRange(flags.range, node.size)
    await pipeline(readFile(dataset.blocks, node, span), runtime.output.stdout, { end: false })
    return { value: undefined, text: '' }
  })
}

const get = (runtime: Runtime, flags: GetFlags, text: string): Promise<CommandResult> => {
  if (flags.out === '-') return cat(runtime, flags, text)
  const { root, path } = parseAddress(text)
  return withDataset(runtime, root, async (dataset) => {
    const node =
      flags.range === undefined ? await dataset.resolve(path) : await fileAt(dataset, path)
    const out = resolve(flags.out ?? path.at(-1) ?? root.toString())
    const span = node.kind === 'file' ? parseRange(flags.range, node.size) : undefined
    const { progress, signal } = runtime
    const total = span === undefined ? undefined : bytes(span.end - span.start)
    const phase = progress.phase('retrieving', total)
    const written = await writeTree(dataset.blocks, node, out, {
      ...(span === undefined ? {} : { span }),
      signal,
      onBytes: (count) => phase.advance(count),
    }).finally(() => phase.end())
    const value = {
      dataset: root.toString(),
      path: path.join('/'),
      out,
      kind: node.kind,
      files: written.files,
      bytes: toNumber(written.bytes),
      provider: dataset.serving ?? null,
      left: leftValue(dataset),
    }
    return {
      value,
      text: `${out}  ${written.files} files, ${formatBytes(written.bytes)}, verified`,
    }
  })
}

const verify = async (
  runtime: Runtime,
  flags: VerifyFlags,
  [text = '', directory = '']: readonly string[],
): Promise<CommandResult> => {
  const { root, path } = parseAddress(text)
  const options = await localOptions(runtime, flags, root)
  const source = await openSource(directory)
  const local = (await importTree(source, { put: () => undefined }, options)).root
  const base = { dataset: root.toString(), dir: resolve(directory) }
  if (path.length === 0 && local.equals(root)) {
    return { value: { ...base, equal: true, differences: [] }, text: `${directory} equals ${text}` }
  }
  return withDataset(runtime, root, async (dataset) => {
    const node = await dataset.resolve(path)
    const found: Difference[] = []
    for await (const difference of differences(
      dataset.blocks,
      node.cid,
      { source, path: '' },
      options,
    )) {
      found.push(difference)
    }
    const equal = found.length === 0
    const lines = found.map(({ kind, path: at }) => `${kind.padEnd(8)} ${printable(at || '.')}`)
    return {
      value: { ...base, equal, differences: found, left: leftValue(dataset) },
      text: equal ? `${directory} equals ${text}` : lines.join('\n'),
      exit: equal ? EXIT_CODES.done : EXIT_CODES.verification,
    }
  })
}

/** The dataset's CID says which hash, and for CIDv0 which profile, it was made with. */
const localOptions = async (
  runtime: Runtime,
  flags: VerifyFlags,
  root: CID,
): Promise<Parameters<typeof importTree>[2]> => {
  const usual = root.version === 0 ? 'unixfs-v0-2015' : 'unixfs-v1-2025'
  const hasher = await openHasher(root.multihash.code === BLAKE3_CODE ? 'blake3' : 'sha2-256')
  const profile = profileOf(flags.profile ?? usual)
  return { profile, hasher, hidden: flags.hidden === true, signal: runtime.signal }
}
