/**
 * The configuration of a deployment: a JSON file that names keys by file, never holds one. Every
 * field is checked before anything is sent; relative paths are relative to the file.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import {
  type Address,
  address,
  amount,
  brokenTiming,
  HoldfastError,
  type Seconds,
  seconds,
  timestamp,
  toHex,
} from '@holdfast/protocol'
import { type Fields, fieldsOf } from '../json.ts'
import { publicKeyPoint } from '../relayer/drand.ts'
import type { DeployParameters } from './deploy.ts'

const AUDIT_CHANCE = 30

export interface DeployConfig {
  readonly keystore: string
  readonly passphraseFile: string
  readonly parameters: DeployParameters
  /** Endpoints for the network file; those of the command line when there are none. */
  readonly rpc: readonly string[]
  readonly drandUrls: readonly string[]
}

const addressIn = (fields: Fields, name: string, text: string): Address => {
  try {
    return address(text)
  } catch {
    throw fields.refuse(name, `is not an address: "${text}"`)
  }
}

const urlsIn = (fields: Fields, name: string): readonly string[] => {
  if (!fields.has(name)) return []
  const urls = fields.texts(name, { max: 32 })
  const wrong = urls.find((url) => !URL.canParse(url))
  if (wrong !== undefined) throw fields.refuse(name, `holds "${wrong}", which is not a URL`)
  return urls
}

const drandIn = (fields: Fields): DeployParameters['drand'] => {
  const publicKey = toHex(fields.hex('publicKey', { min: 96, max: 96 }))
  try {
    publicKeyPoint(publicKey)
  } catch {
    throw fields.refuse('publicKey', 'is not a point of G2')
  }
  return {
    publicKey,
    genesis: timestamp(fields.bigint('genesis')),
    period: seconds(fields.bigint('period')),
  }
}

/** The rules of disputes: times are the production ratios unless given; money has no default. */
const rulesIn = (
  fields: Fields,
  period: Seconds,
): Pick<
  DeployParameters,
  'disputeTime' | 'answerTime' | 'auditChance' | 'disputeBond' | 'disputeSlash'
> => {
  const time = (name: string, otherwise: bigint): Seconds =>
    seconds(fields.has(name) ? fields.bigint(name) : otherwise)
  return {
    disputeTime: time('disputeTime', 2n * period),
    answerTime: time('answerTime', period),
    auditChance: fields.has('auditChance')
      ? fields.integer('auditChance', { min: 1, max: 2 ** 32 - 1 })
      : AUDIT_CHANCE,
    disputeBond: amount(fields.bigint('disputeBond')),
    disputeSlash: amount(fields.bigint('disputeSlash')),
  }
}

const parametersIn = (fields: Fields): DeployParameters => {
  const period = seconds(fields.bigint('period'))
  return {
    tokens: fields
      .texts('tokens', { min: 1, max: 255 })
      .map((text) => addressIn(fields, 'tokens', text)),
    feeAccount: addressIn(fields, 'feeAccount', fields.text('feeAccount')),
    minimumStake: amount(fields.bigint('minimumStake')),
    period,
    window: seconds(fields.bigint('window')),
    seedDelay: seconds(fields.bigint('seedDelay')),
    ...rulesIn(fields, period),
    directChallenges: fields.integer('directChallenges', { min: 1, max: 40 }),
    feeBps: fields.integer('feeBps', { max: 9_999 }),
    drand: drandIn(fields.fields('drand')),
    ...(fields.has('genesis') ? { genesis: timestamp(fields.bigint('genesis')) } : {}),
  }
}

/** What ProofLedger's constructor demands, and what makes no sense. */
const checkRules = (fields: Fields, parameters: DeployParameters): void => {
  const broken = brokenTiming(parameters)
  if (broken !== undefined) throw fields.refuse('disputeTime', `does not fit: ${broken}`)
  const { minimumStake, disputeSlash } = parameters
  if (disputeSlash > minimumStake) throw fields.refuse('disputeSlash', 'is above minimumStake')
}

/** What DrandBeacon's constructor demands, said in words before it costs a transaction. */
const checkSchedule = (fields: Fields, parameters: DeployParameters): void => {
  const { period, window, seedDelay, drand } = parameters
  if (drand.period === 0n) throw fields.refuse('drand.period', 'is zero')
  if (period === 0n || window > period) throw fields.refuse('window', 'is longer than the period')
  if (seedDelay + drand.period >= window) {
    throw fields.refuse('window', 'leaves no time after seedDelay and one drand period')
  }
}

/**
 * A configuration, checked.
 * @throws HoldfastError `CONFIG_INVALID` naming `path` and the field.
 */
export const parseDeployConfig = (value: unknown, path: string): DeployConfig => {
  const refuse = (reason: string): HoldfastError =>
    new HoldfastError({ code: 'CONFIG_INVALID', path, reason })
  const fields = fieldsOf(value, refuse)
  const parameters = parametersIn(fields)
  checkSchedule(fields, parameters)
  checkRules(fields, parameters)
  const folder = dirname(resolve(path))
  return {
    keystore: resolve(folder, fields.text('keystore', { min: 1, max: 4096 })),
    passphraseFile: resolve(folder, fields.text('passphraseFile', { min: 1, max: 4096 })),
    parameters,
    rpc: urlsIn(fields, 'rpc'),
    drandUrls: urlsIn(fields.fields('drand'), 'urls'),
  }
}

/** @throws HoldfastError `INPUT_UNREADABLE`, `CONFIG_INVALID`. */
export const readDeployConfig = async (path: string): Promise<DeployConfig> => {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
  })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason: 'is not JSON' }, { cause })
  }
  return parseDeployConfig(value, path)
}
