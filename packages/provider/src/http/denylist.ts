/**
 * What this provider does not serve, though it may store and prove it: a text file in the home, looked
 * at again when it has changed. One entry a line: a CID, `/ipfs/<CID>`, the root of a payload (`0x…`),
 * or `//<hex>`, the SHA-256 of `<CIDv1 in base32>/` as public lists have it, so that a list does not
 * name what it blocks. After the entry may stand `410` (gone; 451 else: unavailable for legal reasons)
 * and words for people. `#` begins a comment.
 */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { type Clock, HoldfastError, type Logger } from '@holdfast/protocol'
import { CID } from 'multiformats/cid'
import { multihashText, parseCid } from '../car/cids.ts'

interface Denied {
  readonly status: 410 | 451
  readonly reason: string
}

const LOOK_EVERY_MS = 1000
const LINE = /^(\S+)(?:\s+(410|451))?(?:\s+(.*))?$/

/** What blocks, by the key it is looked up by. */
type Entries = ReadonlyMap<string, Denied>

/** The key of an entry; undefined for what is none. */
const keyOf = (entry: string): string | undefined => {
  const name = entry.replace(/^\/ipfs\//, '').replace(/\/$/, '')
  if (/^0x[0-9a-f]{64}$/i.test(name)) return name.toLowerCase()
  if (/^\/\/[0-9a-f]{64}$/i.test(name)) return name.toLowerCase()
  const cid = parseCid(name)
  return cid === undefined ? undefined : multihashText(cid)
}

/** Entries and the numbers of lines that are none. */
export const parseDenylist = (
  text: string,
): { readonly entries: Entries; readonly bad: readonly number[] } => {
  const entries = new Map<string, Denied>()
  const bad: number[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const [, entry = '', status, reason = ''] = LINE.exec(line.replace(/#.*$/, '').trim()) ?? []
    if (entry === '') continue
    const key = keyOf(entry)
    if (key === undefined) bad.push(i + 1)
    else entries.set(key, { status: status === '410' ? 410 : 451, reason: reason.slice(0, 200) })
  }
  return { entries, bad }
}

const doubleHash = (cid: CID): string => {
  const name = CID.createV1(cid.code, cid.multihash).toString()
  return `//${createHash('sha256').update(`${name}/`).digest('hex')}`
}

export interface DenylistDependencies {
  readonly clock: Clock
  readonly logger: Logger
}

export class Denylist {
  readonly #path: string
  readonly #dependencies: DenylistDependencies
  #entries: Entries = new Map()
  #version = ''
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(path: string, dependencies: DenylistDependencies) {
    this.#path = path
    this.#dependencies = dependencies
  }

  get size(): number {
    return this.#entries.size
  }

  /** Reads the file again if it has changed; asked before every answer, it looks once a second. */
  async refresh(): Promise<void> {
    const { clock, logger } = this.#dependencies
    if (clock.now() - this.#lookedAt < LOOK_EVERY_MS) return
    this.#lookedAt = clock.now()
    const version = await versionOf(this.#path)
    if (version === undefined || version === this.#version) return
    try {
      const text = version === 'none' ? '' : await readFile(this.#path, 'utf8')
      const { entries, bad } = parseDenylist(text)
      this.#entries = entries
      this.#version = version
      logger.info('denylist read', { entries: entries.size, bad_lines: bad.slice(0, 20) })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      logger.error('denylist not read, the former one stays', { reason })
    }
  }

  /** @throws HoldfastError `DENIED`. */
  check(cid: CID): void {
    this.#refuse(multihashText(cid), String(cid))
    if (this.#entries.size > 0) this.#refuse(doubleHash(cid), String(cid))
  }

  /** The same for a payload and for what its CAR names as roots. @throws HoldfastError `DENIED`. */
  checkPayload(root: string, carRoots: readonly string[]): void {
    this.#refuse(root, root)
    for (const text of carRoots) {
      const cid = parseCid(text)
      if (cid !== undefined) this.check(cid)
    }
  }

  #refuse(key: string, what: string): void {
    const denied = this.#entries.get(key)
    if (denied === undefined) return
    const { status, reason } = denied
    throw new HoldfastError({ code: 'DENIED', what, status, reason })
  }
}

/** Changes whenever the file does; `none` without a file, undefined when nobody can say. */
const versionOf = (path: string): Promise<string | undefined> =>
  stat(path, { bigint: true }).then(
    ({ mtimeNs, size, ino }) => `${mtimeNs} ${size} ${ino}`,
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 'none' : undefined),
  )
