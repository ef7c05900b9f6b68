/**
 * The network file: everything a program must know to join one network, as JSON. Big integers are
 * decimal strings. Reading checks every field; writing is atomic. The file holds no secret.
 */
import { readFile } from 'node:fs/promises'
import {
  type Address,
  address,
  amount,
  brokenTiming,
  HoldfastError,
  seconds,
  timestamp,
  toHex,
} from '@holdfast/protocol'
import { writeFileAtomically } from './atomic-file.ts'
import { type Fields, fieldsOf } from './json.ts'
import type { NetworkParams, TokenInfo } from './ledger.ts'

/** Where the keys of an embedded network are; absent on real ones. */
export interface DevnetInfo {
  /** The folder with `<name>.json` and `<name>.pass`. */
  readonly keys: string
  /** The process that owns the network. */
  readonly pid: number
}

export interface NetworkFile extends NetworkParams {
  /** JSON-RPC endpoints, the preferred first. */
  readonly rpc: readonly string[]
  /** drand HTTP endpoints that serve this network's rounds; empty when the relayer signs itself. */
  readonly drandUrls: readonly string[]
  readonly devnet?: DevnetInfo
}

const FORMAT = 'holdfast-network/2'
/** Networks without disputes, whose contracts this version cannot use. */
const FORMER_FORMAT = 'holdfast-network/1'
const FILE_CHARACTERS_MAX = 1024 * 1024

const addressField = (fields: Fields, name: string): Address => {
  try {
    return address(fields.text(name))
  } catch {
    throw fields.refuse(name, 'is not an address (0x and 40 hex digits)')
  }
}

const tokenFrom = (fields: Fields): TokenInfo => ({
  address: addressField(fields, 'address'),
  symbol: fields.text('symbol', { min: 1, max: 32 }),
  decimals: fields.integer('decimals', { max: 36 }),
})

const contractsFrom = (fields: Fields): NetworkParams['contracts'] => ({
  vault: addressField(fields, 'vault'),
  registry: addressField(fields, 'registry'),
  market: addressField(fields, 'market'),
  proofs: addressField(fields, 'proofs'),
  disputes: addressField(fields, 'disputes'),
  beacon: addressField(fields, 'beacon'),
})

const drandFrom = (fields: Fields): NetworkParams['drand'] => ({
  genesis: timestamp(fields.bigint('genesis')),
  period: seconds(fields.bigint('period')),
  publicKey: toHex(fields.hex('publicKey', { min: 96, max: 96 })),
})

const urls = (fields: Fields, name: string, min: number): readonly string[] =>
  fields.texts(name, { min, max: 32 }).map((text) => {
    if (!URL.canParse(text)) throw fields.refuse(name, `holds "${text}", which is not a URL`)
    return text
  })

const paramsFrom = (fields: Fields): NetworkParams => ({
  chainId: fields.bigint('chainId'),
  contracts: contractsFrom(fields.fields('contracts')),
  tokens: fields.list('tokens', { min: 1, max: 64 }).map(tokenFrom),
  deployedAt: fields.bigint('deployedAt'),
  genesis: timestamp(fields.bigint('genesis')),
  period: seconds(fields.bigint('period')),
  window: seconds(fields.bigint('window')),
  seedDelay: seconds(fields.bigint('seedDelay')),
  disputeTime: seconds(fields.bigint('disputeTime')),
  answerTime: seconds(fields.bigint('answerTime')),
  auditChance: fields.integer('auditChance', { min: 1, max: 2 ** 32 - 1 }),
  disputeBond: amount(fields.bigint('disputeBond')),
  disputeSlash: amount(fields.bigint('disputeSlash')),
  directChallenges: fields.integer('directChallenges', { min: 1, max: 460 }),
  feeBps: fields.integer('feeBps', { max: 10_000 }),
  drand: drandFrom(fields.fields('drand')),
})

const checkFormat = (fields: Fields): void => {
  const format = fields.text('format')
  if (format === FORMAT) return
  const reason =
    format === FORMER_FORMAT
      ? `is ${format}: its contracts know no disputes; make the network anew, or get its new file`
      : `is not ${FORMAT}`
  throw fields.refuse('format', reason)
}

/**
 * A network file's value, every field checked.
 * @throws HoldfastError `CONFIG_INVALID` naming `path` and the field.
 */
export const parseNetwork = (value: unknown, path: string): NetworkFile => {
  const fields = fieldsOf(
    value,
    (reason) => new HoldfastError({ code: 'CONFIG_INVALID', path, reason }),
  )
  checkFormat(fields)
  const params = paramsFrom(fields)
  if (params.period === 0n) throw fields.refuse('period', 'is zero')
  if (params.window > params.period) throw fields.refuse('window', 'is longer than the period')
  const broken = brokenTiming(params)
  if (broken !== undefined) throw fields.refuse('disputeTime', `does not fit: ${broken}`)
  const devnet = fields.has('devnet') ? fields.fields('devnet') : undefined
  return {
    ...params,
    rpc: urls(fields, 'rpc', 1),
    drandUrls: urls(fields, 'drandUrls', 0),
    ...(devnet === undefined
      ? {}
      : { devnet: { keys: devnet.text('keys'), pid: devnet.integer('pid', { max: 2 ** 31 }) } }),
  }
}

/**
 * Reads a network file.
 * @throws HoldfastError `INPUT_UNREADABLE` or `CONFIG_INVALID`.
 */
export const readNetwork = async (path: string): Promise<NetworkFile> => {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
  })
  if (text.length > FILE_CHARACTERS_MAX) {
    throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason: 'the file is too large' })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason: 'is not JSON' }, { cause })
  }
  return parseNetwork(value, path)
}

/** The file's text. */
export const formatNetwork = (network: NetworkFile): string => {
  const bigints = (_key: string, value: unknown): unknown =>
    typeof value === 'bigint' ? value.toString() : value
  return `${JSON.stringify({ format: FORMAT, ...network }, bigints, 2)}\n`
}

/** Writes a network file, whole or not at all. */
export const writeNetwork = (path: string, network: NetworkFile): Promise<void> =>
  writeFileAtomically(path, formatNetwork(network))
