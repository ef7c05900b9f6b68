/**
 * The provider's configuration: one typed object, written by `init`, checked whole when it is read,
 * every problem named. It holds paths of key files, never keys.
 */
import {
  type Address,
  type Amount,
  amount,
  type Bytes,
  bytes,
  HoldfastError,
  PAYLOAD_BYTES_MAX,
  type ProviderId,
} from '@holdfast/protocol'
import { ConfigReader } from './config-reader.ts'
import { readSealed, sealFile } from './config-seal.ts'
import { readSettlingConfig, type SettlingConfig } from './duties/gas-worth.ts'
import { readStakeConfig, type StakeConfig } from './duties/stake-keeper.ts'
import { type Limits, readLimits } from './limits/limits.ts'
import { type OperatorConfig, readOperatorConfig } from './operator-config.ts'
import { type ProvingConfig, readProvingConfig } from './proving-config.ts'
import { writeDurably } from './store/volume-files.ts'
import { rpcsFrom } from './transactions/rpc-list.ts'

/** A volume: its directory (from the home, or absolute) and how much of it may be taken. */
export interface ConfiguredVolume {
  readonly directory: string
  readonly capacity: Bytes
  readonly draining: boolean
}

export interface ProviderConfig extends OperatorConfig {
  readonly network: string
  readonly provider: ProviderId
  readonly operatorKeystore: string
  readonly operatorPassphraseFile: string
  readonly host: string
  readonly grpcPort: number
  readonly httpPort: number
  readonly region: string
  readonly token: Address
  /** Base units per 2^40 bytes and 30 days. */
  readonly pricePerTibMonth: Amount
  /** Base units per deal and 30 days. */
  readonly provingFeeMonth: Amount
  readonly egressPerTib: Amount
  readonly capacity: Bytes
  readonly payloadBytesMax: Bytes
  /** Disk that uploads never take. */
  readonly diskMargin: Bytes
  /** Disks that payloads lie on; undefined: the one directory that `init` made. */
  readonly volumes?: readonly ConfiguredVolume[] | undefined
  /** Days that a payload nobody claims stays; undefined: 7. */
  readonly trashDays?: number | undefined
  /** Days in which everything stored is read once; undefined: 14. */
  readonly scrubDays?: number | undefined
  /** Proven periods after which a deal is settled; undefined: by the length of the period. */
  readonly settleEvery: number | undefined
  /** JSON-RPC endpoints, the preferred first; the network file's unless given. */
  readonly rpcs?: readonly string[] | undefined
  /** What strangers may ask at once; undefined: the defaults. */
  readonly limits?: Limits
  /** How periods are proven; undefined: commit mode, with the default budgets. */
  readonly proving?: ProvingConfig
  /** When settling is worth the gas; undefined: the defaults, on networks that are no toys. */
  readonly settling?: SettlingConfig
  /** Who gets what deals earn, as registered; undefined: the owner. */
  readonly beneficiary?: Address | undefined
  /** How stake is kept above the requirement without a person; undefined: not at all. */
  readonly stake?: StakeConfig
}

export const PAYLOAD_MAX_DEFAULT: Bytes = bytes(64n * 2n ** 30n)
export const DISK_MARGIN_DEFAULT: Bytes = bytes(256n * 2n ** 20n)

const VERSION = 1
const VOLUMES_MAX = 64

/** The file's text. */
export const formatConfig = (config: ProviderConfig): string =>
  `${JSON.stringify(
    { version: VERSION, ...config },
    (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  )}\n`

export const writeConfig = async (path: string, config: ProviderConfig): Promise<void> => {
  await writeDurably(path, formatConfig(config))
  await sealFile(path)
}

const MONEY_MAX: bigint = 2n ** 127n
const ANY_TEXT = /^[^\p{Cc}]{1,4096}$/u

const volumesFrom = (read: ConfigReader): readonly ConfiguredVolume[] =>
  read.each('volumes', VOLUMES_MAX).map((volume) => ({
    directory: volume.text('directory', ANY_TEXT, 'a path'),
    capacity: bytes(volume.integer('capacity', 2n ** 63n)),
    draining: volume.has('draining') && volume.flag('draining'),
  }))

const parseConfig = (path: string, value: unknown): ProviderConfig => {
  const read = new ConfigReader(value)
  read.count('version', { min: VERSION, max: VERSION })
  const port = { min: 1, max: 65_535 }
  const config: ProviderConfig = {
    network: read.text('network', ANY_TEXT, 'a path'),
    provider: read.address('provider'),
    operatorKeystore: read.text('operatorKeystore', ANY_TEXT, 'a path'),
    operatorPassphraseFile: read.text('operatorPassphraseFile', ANY_TEXT, 'a path'),
    host: read.text('host', /^[A-Za-z0-9.:_-]{1,255}$/, 'a host name or address'),
    grpcPort: read.count('grpcPort', port),
    httpPort: read.count('httpPort', port),
    region: read.text('region', /^[^\p{Cc}]{1,64}$/u, '1 to 64 characters'),
    token: read.address('token'),
    pricePerTibMonth: amount(read.integer('pricePerTibMonth', MONEY_MAX)),
    provingFeeMonth: amount(read.integer('provingFeeMonth', MONEY_MAX)),
    egressPerTib: amount(read.integer('egressPerTib', MONEY_MAX)),
    capacity: bytes(read.integer('capacity', 2n ** 63n)),
    payloadBytesMax: bytes(read.integer('payloadBytesMax', PAYLOAD_BYTES_MAX)),
    diskMargin: bytes(read.integer('diskMargin', 2n ** 63n)),
    volumes: read.has('volumes') ? volumesFrom(read) : undefined,
    trashDays: read.has('trashDays') ? read.count('trashDays', { min: 1, max: 3650 }) : undefined,
    scrubDays: read.has('scrubDays') ? read.count('scrubDays', { min: 1, max: 3650 }) : undefined,
    settleEvery: read.has('settleEvery')
      ? read.count('settleEvery', { min: 1, max: 10_000 })
      : undefined,
    rpcs: rpcsFrom(value, read.problems),
    ...(read.has('limits') ? { limits: readLimits(read.value('limits'), read.problems) } : {}),
    ...(read.has('proving') ? { proving: readProvingConfig(read.group('proving')) } : {}),
    ...(read.has('settling') ? { settling: readSettlingConfig(read.group('settling')) } : {}),
    ...(read.has('stake') ? { stake: readStakeConfig(read.group('stake')) } : {}),
    ...(read.has('beneficiary') ? { beneficiary: read.address('beneficiary') } : {}),
    ...readOperatorConfig(read),
  }
  if (read.problems.length === 0) return config
  throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason: read.problems.join('; ') })
}

/** @throws HoldfastError `INPUT_UNREADABLE`, `CONFIG_INVALID` naming every wrong setting. */
export const readConfig = async (path: string): Promise<ProviderConfig> => {
  const content = await readSealed(path).catch((cause: unknown) => {
    if (HoldfastError.is(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
  })
  let value: unknown
  try {
    value = JSON.parse(content.toString('utf8'))
  } catch (cause) {
    throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason: 'is not JSON' }, { cause })
  }
  return parseConfig(path, value)
}
