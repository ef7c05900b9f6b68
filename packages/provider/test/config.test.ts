/** The configuration file and the quantities people write: read back, or refused with every reason. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { address, amount, bytes, HoldfastError } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type ProviderConfig, readConfig, writeConfig } from '../src/config.ts'
import { formatBytes, formatTokens, parseBytes, parseTokens } from '../src/quantity.ts'

const CONFIG: ProviderConfig = {
  network: 'net.json',
  provider: address(`0x${'01'.repeat(20)}`),
  operatorKeystore: 'key.json',
  operatorPassphraseFile: 'key.pass',
  host: '127.0.0.1',
  grpcPort: 4500,
  httpPort: 4501,
  region: 'eu',
  token: address(`0x${'02'.repeat(20)}`),
  pricePerTibMonth: amount(5),
  provingFeeMonth: amount(0),
  egressPerTib: amount(0),
  capacity: bytes(2n ** 40n),
  payloadBytesMax: bytes(2n ** 30n),
  diskMargin: bytes(0),
  settleEvery: undefined,
}

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
