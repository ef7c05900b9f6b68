/**
 * The packages that a user could pick instead of ours: loaded when they are there, named as absent
 * with the reason when they are not. Nothing is ever dropped silently.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A peer that was loaded. */
export interface Peer {
  /** `package@version`. */
  readonly name: string
  readonly module: Readonly<Record<string, unknown>>
}

const versionAt = (entry: string, name: string): string => {
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const text = readFileSync(join(folder, 'package.json'), 'utf8')
      const manifest = JSON.parse(text) as { readonly name?: string; readonly version?: string }
      if (manifest.name === name && manifest.version) return manifest.version
    } catch {
      // no manifest here: look further up
    }
  }
  return 'unknown'
}

const packageOf = (entry: string): string =>
  entry.split('/', entry.startsWith('@') ? 2 : 1).join('/')

/** Collects peers and, beside them, those that cannot be had. */
export class PeerList {
  readonly absent: string[] = []

  /** The peer behind an import such as `hash-wasm` or `@noble/hashes/sha2.js`; undefined if absent. */
  async load(entry: string): Promise<Peer | undefined> {
    const name = packageOf(entry)
    try {
      const version = versionAt(fileURLToPath(import.meta.resolve(entry)), name)
      const module = (await import(entry)) as Readonly<Record<string, unknown>>
      return { name: `${name}@${version}`, module }
    } catch (cause) {
      const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
      this.absent.push(`${name}: ${reason}`)
      return undefined
    }
  }
}

/** node:crypto, named with what it stands on. */
export const CRYPTO_PEER: string = `node:crypto@${process.version} (OpenSSL ${process.versions.openssl})`
