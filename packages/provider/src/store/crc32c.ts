/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), eight bytes per step. It guards bytes
 * against rot, not against people: roots do that. Payload bytes are only fed to it on the frame
 * workers; headers, journal records and index values are small enough for any thread.
 */

const POLYNOMIAL = 0x82f63b78
/** Eight tables of 256 entries, one after the other: slicing by eight. */
const TABLE: Uint32Array = buildTable()

function buildTable(): Uint32Array {
  const table = new Uint32Array(8 * 256)
  for (let n = 0; n < 256; n++) {
    let value = n
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0)
    table[n] = value >>> 0
  }
  for (let n = 256; n < table.length; n++) {
    const previous = table[n - 256] ?? 0
    table[n] = (previous >>> 8) ^ (table[previous & 0xff] ?? 0)
  }
  return table
}

/**
 * The checksum of `data`, continuing from `previous` (the checksum of what came before it).
 * @returns an unsigned 32-bit integer.
 */
export const crc32c = (data: Uint8Array, previous = 0): number => {
  let crc = ~previous
  let i = 0
  const whole = data.length - (data.length % 8)
  while (i < whole) {
    const low =
      (byte(data, i) |
        (byte(data, i + 1) << 8) |
        (byte(data, i + 2) << 16) |
        (byte(data, i + 3) << 24)) ^
      crc
    crc =
      entry(1792 + (low & 0xff)) ^
      entry(1536 + ((low >>> 8) & 0xff)) ^
      entry(1280 + ((low >>> 16) & 0xff)) ^
      entry(1024 + (low >>> 24)) ^
      entry(768 + byte(data, i + 4)) ^
      entry(512 + byte(data, i + 5)) ^
      entry(256 + byte(data, i + 6)) ^
      entry(byte(data, i + 7))
    i += 8
  }
  for (; i < data.length; i++) crc = (crc >>> 8) ^ entry((crc ^ byte(data, i)) & 0xff)
  return ~crc >>> 0
}

/** In bounds by construction of the callers, which the compiler cannot see. */
const entry = (index: number): number => TABLE[index] as number
const byte = (data: Uint8Array, index: number): number => data[index] as number
