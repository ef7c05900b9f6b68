/**
 * What a request must look like before it is looked at: made to this listener by its own name, and,
 * when it changes something, by our own page. A page of somebody else whose name was rebound to this
 * address says another Host; a form or script of another site says another Origin.
 */
import type { IncomingMessage } from 'node:http'
import { HoldfastError } from '@holdfast/protocol'

export interface GuardOptions {
  /** Names under which the page may be asked for, without port. */
  readonly hosts: readonly string[]
  readonly port: number
}

const refused = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'UNAUTHORIZED', reason })

/** @throws HoldfastError `UNAUTHORIZED` naming what is wrong. */
export const checkRequest = ({ method, headers }: IncomingMessage, options: GuardOptions): void => {
  const host = headers.host ?? ''
  const names = options.hosts.map((name) => `${name}:${options.port}`)
  if (!names.includes(host.toLowerCase())) throw refused('the page is not served under that name')
  const site = headers['sec-fetch-site']
  const isRead = method === 'GET' || method === 'HEAD'
  if (site !== undefined && site !== 'same-origin' && !(site === 'none' && isRead)) {
    throw refused('another site asked')
  }
  const { origin } = headers
  if (origin !== undefined && origin !== `http://${host}`) throw refused('another origin asked')
  if (isRead) return
  if (origin === undefined) throw refused('no origin was named')
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) {
    throw refused('only JSON is taken')
  }
}

/** The value of a cookie; undefined when it is not there. */
export const cookieOf = ({ headers }: IncomingMessage, name: string): string | undefined => {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [key, ...value] = part.trim().split('=')
    if (key === name) return value.join('=')
  }
  return undefined
}
