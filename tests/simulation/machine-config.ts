/** How every simulated provider is set up. */
import { amount, bytes, hash32, type ProviderId, seconds } from '@holdfast/protocol'
import {
  type CoreOptions,
  homePaths,
  type ProviderConfig,
  type SimulatedDisk,
} from '@holdfast/provider'
import type { World } from './world.ts'

/** 4.5 periods. */
export const TRASH_DAYS = 0.0625
export const TLS_KEY_HASH = hash32(`0x${'11'.repeat(32)}`)
/** 9 periods; everything is read again at the latest after a tenth of it, while little is stored. */
const SCRUB_DAYS = 0.125
export const HOME = '/home'

/** Small sectors and parts, so that little data makes many of them. */
export const optionsOf = (config: ProviderConfig): CoreOptions => ({
  paths: homePaths(HOME),
  config,
  software: 'simulation',
  storing: {
    sharedPayloadMax: bytes(30_000),
    sharedSectorBytes: bytes(100_000),
    watchEveryMs: 120_000,
  },
  // Some tens of promises: it is written anew often, also at the moment when the power goes off.
  journalBytes: bytes(20_000),
  journalReserveBytes: bytes(16_384),
  intake: { partBytesMax: bytes(16_384), sessionTtl: seconds(7200) },
})

export const configOf = (
  world: World,
  provider: ProviderId,
  mode: 'commit' | 'direct',
): ProviderConfig => ({
  network: 'memory',
  provider,
  operatorKeystore: 'unused',
  operatorPassphraseFile: 'unused',
  host: '127.0.0.1',
  grpcPort: 1,
  httpPort: 2,
  region: 'nowhere',
  token: world.token.address,
  pricePerTibMonth: amount(2_000_000_000_000n),
  provingFeeMonth: amount(100_000_000n),
  egressPerTib: amount(0),
  capacity: bytes(2n ** 30n),
  payloadBytesMax: bytes(2n ** 20n),
  diskMargin: bytes(4n * 2n ** 20n),
  settleEvery: 2,
  trashDays: TRASH_DAYS,
  scrubDays: SCRUB_DAYS,
  proving: { mode, gasBudgets: { proofs: 10n ** 18n, ledger: 10n ** 18n } },
})

/** What `init` does. */
export const makeVolume = (disk: SimulatedDisk, provider: ProviderId): void => {
  const { volume } = homePaths(HOME)
  const identity = { version: 2, provider, id: 'ab'.repeat(16) }
  const file = disk.open(`${volume}/volume.json`, 'create')
  disk.write(file, new TextEncoder().encode(`${JSON.stringify(identity)}\n`), 0)
  disk.sync(file)
  disk.syncDirectory(volume)
  disk.close(file)
}
