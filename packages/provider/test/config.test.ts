/** The configuration file and the quantities people write: read back, or refused with every reason. */
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@holdfast/chain'
import { HoldfastError } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readConfig, writeConfig } from '../src/config.ts'
import { sealFile } from '../src/config-seal.ts'
import { formatBytes, formatTokens, parseBytes, parseTokens } from '../src/quantity.ts'
import { keepTokenKey } from '../src/token-key.ts'
import { CONFIG } from './support/settings.ts'

describe('the configuration', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-config-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  test('reads back what it wrote', async () => {
    const path = join(directory, 'config.json')
    await writeConfig(path, CONFIG)
    expect(await readConfig(path)).toEqual(CONFIG)
    await writeConfig(path, { ...CONFIG, settleEvery: 7 })
    expect((await readConfig(path)).settleEvery).toBe(7)
  })

  test('names every wrong setting at once', async () => {
    const path = join(directory, 'config.json')
    await writeConfig(path, CONFIG)
    const value = JSON.parse(await readFile(path, 'utf8'))
    await writeFile(
      path,
      JSON.stringify({ ...value, grpcPort: 0, capacity: '10GiB', provider: 'me', region: '' }),
    )
    const error = await readConfig(path).catch((thrown: unknown) => thrown)
    expect(HoldfastError.is(error, 'CONFIG_INVALID')).toBe(true)
    for (const name of ['grpcPort', 'capacity', 'provider', 'region']) {
      expect(String(error)).toContain(name)
    }
  })

  test('says what a file is that is no configuration', async () => {
    const path = join(directory, 'config.json')
    await writeFile(path, 'port: 1')
    await expect(readConfig(path)).rejects.toMatchObject({ detail: { code: 'CONFIG_INVALID' } })
    await expect(readConfig(`${path}.none`)).rejects.toMatchObject({
      detail: { code: 'INPUT_UNREADABLE' },
    })
  })
})

describe('rot in what init wrote', () => {
  const AT = new Date(1_700_000_000_000)
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-config-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  test('a price that nobody wrote is refused; one that somebody wrote is taken, and guarded from then on', async () => {
    const path = join(directory, 'config.json')
    await writeConfig(path, CONFIG)
    const other = (await readFile(path, 'utf8')).replace('"5"', '"7"')
    await writeFile(path, other)
    await utimes(path, AT, AT)
    expect((await readConfig(path)).pricePerTibMonth).toBe(7n)
    await sealFile(path)
    await writeFile(path, other.replace('"7"', '"6"'))
    await utimes(path, AT, AT)
    await expect(readConfig(path)).rejects.toMatchObject({
      detail: { code: 'CONFIG_INVALID', reason: expect.stringContaining('nobody wrote it') },
    })
    await rm(`${path}.seal`)
    expect((await readConfig(path)).pricePerTibMonth).toBe(6n)
  })

  test('a token key of the first release stays and gets its checksum; a missing one is made', async () => {
    const path = join(directory, 'token.key')
    await writeFile(path, Buffer.alloc(32, 9))
    expect(await keepTokenKey(path, systemRandom)).toEqual(new Uint8Array(32).fill(9))
    const kept = await readFile(path)
    expect(kept.length).toBe(36)
    await writeFile(path, kept.fill(8, 5, 6))
    await expect(keepTokenKey(path, systemRandom)).rejects.toMatchObject({
      detail: { code: 'CONFIG_INVALID', reason: expect.stringContaining('Remove it') },
    })
    await rm(path)
    const made = await keepTokenKey(path, systemRandom)
    expect(await keepTokenKey(path, systemRandom)).toEqual(made)
  })
})

describe('quantities', () => {
  test('are exact or refused', () => {
    expect(parseBytes('x', '10GiB')).toBe(10n * 2n ** 30n)
    expect(parseBytes('x', '3 MB')).toBe(3_000_000n)
    expect(parseTokens('x', '2.5', 6)).toBe(2_500_000n)
    expect(parseTokens('x', '0.000001', 6)).toBe(1n)
    for (const text of ['', '-1', '1.5GiB', '10 gigs', '1e9']) {
      expect(() => parseBytes('x', text)).toThrow(HoldfastError)
    }
    for (const text of ['', '-1', '1.0000001', '1,5', '0x10']) {
      expect(() => parseTokens('x', text, 6)).toThrow(HoldfastError)
    }
    expect(formatTokens(2_500_000n, 6)).toBe('2.5')
    expect(formatTokens(5n, 6)).toBe('0.000005')
    expect(formatBytes(3n * 2n ** 30n)).toBe('3.00 GiB')
  })
})
