/**
 * The part of the configuration that is about people: alarms and the dashboard. All of it is optional.
 */
import { ALARM_LIMITS, type AlarmLimits } from './alarms/alarm-rules.ts'
import type { ConfigReader } from './config-reader.ts'

export interface AlarmConfig {
  /** Told of every alarm by POST; http or https. */
  readonly webhook?: string
  /** A file whose bytes, without a final line break, sign what the webhook is told. */
  readonly webhookSecretFile?: string
  readonly limits?: Partial<AlarmLimits>
}

export interface DashboardConfig {
  /** Where the page is served; loopback unless said otherwise. */
  readonly host?: string
  /** 0 takes a free port at every start. */
  readonly port?: number
  readonly off?: boolean
}

export interface OperatorConfig {
  readonly alarms?: AlarmConfig
  readonly dashboard?: DashboardConfig
}

const WEBHOOK = /^https?:\/\/[^\s\p{Cc}]{1,2000}$/u
const PATH = /^[^\p{Cc}]{1,4096}$/u
const HOST = /^[A-Za-z0-9.:_-]{1,255}$/
const LIMIT_MAX = 1_000_000

/** Reads `alarms` and `dashboard`; what is wrong is added to the reader's problems. */
export const readOperatorConfig = (read: ConfigReader): OperatorConfig => ({
  ...(read.has('alarms') ? { alarms: alarmsOf(read.group('alarms')) } : {}),
  ...(read.has('dashboard') ? { dashboard: dashboardOf(read.group('dashboard')) } : {}),
})

const alarmsOf = (read: ConfigReader): AlarmConfig => ({
  ...(read.has('webhook') ? { webhook: read.text('webhook', WEBHOOK, 'an http(s) address') } : {}),
  ...(read.has('webhookSecretFile')
    ? { webhookSecretFile: read.text('webhookSecretFile', PATH, 'a path') }
    : {}),
  ...(read.has('limits') ? { limits: limitsOf(read.group('limits')) } : {}),
})

const limitsOf = (read: ConfigReader): Partial<AlarmLimits> => {
  const names = Object.keys(ALARM_LIMITS).filter((name) => read.has(name))
  return Object.fromEntries(
    names.map((name) => [name, read.count(name, { min: 0, max: LIMIT_MAX })]),
  )
}

const dashboardOf = (read: ConfigReader): DashboardConfig => ({
  ...(read.has('host') ? { host: read.text('host', HOST, 'a host name or address') } : {}),
  ...(read.has('port') ? { port: read.count('port', { min: 0, max: 65_535 }) } : {}),
  ...(read.has('off') ? { off: read.flag('off') } : {}),
})
