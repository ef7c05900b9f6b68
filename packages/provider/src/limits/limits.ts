/**
 * How much strangers may ask of this node at once. Every figure has a default that suits one machine
 * with a few hundred peers; the configuration may change any of them, also while the node runs.
 */

/** Connections and requests; addresses are IPv4 addresses and IPv6 networks of 64 bits. */
export interface Limits {
  /** Connections to each listener. */
  readonly connectionsMax: number
  /** Of those from one address. */
  readonly connectionsPerAddress: number
  /** HTTPS requests of one address, per second, in the long run. */
  readonly requestsPerSecond: number
  /** gRPC calls of one address, per second, in the long run. */
  readonly callsPerSecond: number
  /** Calls in the name of one account, per minute, in the long run. */
  readonly accountCallsPerMinute: number
  /** Bytes that one gRPC connection may send per second, in the long run: calls are small. */
  readonly callBytesPerSecond: number
  /** Reads of payloads that run at once. */
  readonly readsMax: number
  /** Parts of uploads that arrive at once. */
  readonly partsMax: number
  /** A transfer that moves less than `progressBytesMin` in so many seconds is ended. */
  readonly progressSeconds: number
  readonly progressBytesMin: number
  /** Upload sessions one payer may have open. */
  readonly sessionsPerPayerMax: number
  /** Resident memory in MiB above which new reads and parts have to wait. */
  readonly memoryMiB: number
}

export const LIMITS_DEFAULT: Limits = {
  connectionsMax: 512,
  connectionsPerAddress: 64,
  requestsPerSecond: 1000,
  callsPerSecond: 200,
  accountCallsPerMinute: 600,
  callBytesPerSecond: 2 ** 20,
  readsMax: 128,
  partsMax: 64,
  progressSeconds: 15,
  progressBytesMin: 16_384,
  sessionsPerPayerMax: 64,
  memoryMiB: 1536,
}

const HIGHEST = 2 ** 31

/**
 * The limits of a configuration's `limits`, defaults where it says nothing. Names and values that make
 * no sense are added to `problems`.
 */
export const readLimits = (value: unknown, problems: string[]): Limits => {
  if (value === undefined) return LIMITS_DEFAULT
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push('limits is not an object')
    return LIMITS_DEFAULT
  }
  const limits: Record<keyof Limits, number> = { ...LIMITS_DEFAULT }
  for (const [name, figure] of Object.entries(value)) {
    if (!Object.hasOwn(limits, name)) problems.push(`limits.${name} is unknown`)
    else if (!Number.isInteger(figure) || figure < 1 || figure > HIGHEST) {
      problems.push(`limits.${name} is ${JSON.stringify(figure)}, expected 1 to ${HIGHEST}`)
    } else limits[name as keyof Limits] = figure
  }
  return limits
}
