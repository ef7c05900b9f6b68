/**
 * The JSON-RPC endpoints a node asks: its own setting where it has one, else the network file's. Two
 * or more are needed before the node believes anything that money or data depend on; with one it
 * works, and trusts that one.
 */

const RPCS_MAX = 16

/** The setting `rpcs`, undefined when it is absent; what is wrong with it goes into `problems`. */
export const rpcsFrom = (config: unknown, problems: string[]): readonly string[] | undefined => {
  const { rpcs } = (typeof config === 'object' && config !== null ? config : {}) as {
    readonly rpcs?: unknown
  }
  if (rpcs === undefined) return undefined
  const isList = Array.isArray(rpcs) && rpcs.length > 0 && rpcs.length <= RPCS_MAX
  const texts: readonly unknown[] = isList ? rpcs : []
  const urls = texts.filter((text): text is string => typeof text === 'string' && isHttp(text))
  if (!isList || urls.length < texts.length) {
    problems.push(`rpcs is not a list of 1 to ${RPCS_MAX} http(s) addresses`)
  }
  return urls
}

const isHttp = (text: string): boolean =>
  URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
