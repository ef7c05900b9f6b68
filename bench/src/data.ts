/** Bytes to measure with: the same for the same seed, in memory and on disk. */
import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'

const MIB = 1 << 20

/** Pseudo-random bytes: AES in counter mode over zeros. */
export const noise = (length: number, seed = 1): Uint8Array => {
  const key = createHash('sha256').update(`bench ${seed}`).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-128-ctr', key, new Uint8Array(16))
  const out = new Uint8Array(length)
  const zeros = new Uint8Array(MIB)
  for (let at = 0; at < length; at += MIB) {
    out.set(cipher.update(zeros.subarray(0, Math.min(MIB, length - at))), at)
  }
  return out
}

/** Writes `length` bytes of noise to a file, and to the disk under it. */
export const writeNoise = (path: string, length: number): void => {
  const part = noise(16 * MIB, 7)
  const stamp = new DataView(part.buffer)
  const fd = openSync(path, 'w')
  try {
    for (let at = 0; at < length; at += part.length) {
      stamp.setUint32(0, at / part.length)
      writeSync(fd, part, 0, Math.min(part.length, length - at), at)
    }
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

/** Throws unless both are the same; says whose result it was. */
export const mustEqual = (actual: unknown, wanted: unknown, whose: string): void => {
  if (actual === wanted) return
  throw new Error(`${whose} gives ${String(actual)}, right is ${String(wanted)}`)
}
