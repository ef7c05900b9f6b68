/**
 * Names of sector files: `<number>-<tag>.sector`, where the tag is the first four bytes of the
 * sector's salt. A name is never used twice, so what an index says of a name can never be true of
 * another file. Sectors of the first format are `<number>.sector`.
 */
import { join } from 'node:path'
import type { SectorId } from './record-entry.ts'

const NAME = /^(\d{8,10})(?:-([0-9a-f]{8}))?\.sector$/

export const sectorFile = ({ number, tag }: SectorId): string => {
  const digits = String(number).padStart(8, '0')
  return tag === 0 ? `${digits}.sector` : `${digits}-${tag.toString(16).padStart(8, '0')}.sector`
}

export const sectorPath = (directory: string, id: SectorId): string =>
  join(directory, sectorFile(id))

/** What a file's name says; undefined when it is not a sector's. */
export const sectorNamed = (file: string): SectorId | undefined => {
  const match = NAME.exec(file)
  if (match === null) return undefined
  return { number: Number(match[1]), tag: Number.parseInt(match[2] ?? '0', 16) }
}

/** The tag that goes with a salt. */
export const tagOf = (salt: Uint8Array): number =>
  new DataView(salt.buffer, salt.byteOffset).getUint32(0, false)
