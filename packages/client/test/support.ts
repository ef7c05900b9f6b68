/** Helpers of this package's tests: temporary directories that go away, vectors, random trees. */
import { createCipheriv, createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from '@jest/globals'

/** The repository's root, seen from `packages/client/dist/test`. */
export const REPOSITORY = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../../..')

export const vectorPath = (...parts: string[]): string => join(REPOSITORY, 'vectors', ...parts)

export const readJson = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(path, 'utf8'))

const made: string[] = []

afterAll(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true })
})

/** A temporary directory that is removed after the file's tests. */
export const temporary = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-client-'))
  made.push(path)
  return path
}

/** The ChaCha20 keystream of a seed, in pieces: the inputs of IPIP-499. */
export function* keystream(seed: string, length: number): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest()
  const cipher = createCipheriv('chacha20', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(1 << 20)
  for (let done = 0; done < length; ) {
    const count = Math.min(zeros.length, length - done)
    yield cipher.update(zeros.subarray(0, count))
    done += count
  }
}

/** Bytes that depend on the seed only. */
export const seeded = (seed: string, length: number): Buffer =>
  Buffer.concat([...keystream(seed, length)])
