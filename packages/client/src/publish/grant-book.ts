/**
 * The grants of session keys that were signed here, so that each can be taken back by name. One file
 * per grant, durable before its key signs anything; nothing in it is secret: the key itself is kept
 * nowhere. What has expired is removed when somebody looks.
 *
 * Invariant: a grant that counts at a provider is in the book of the home that signed it.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type NetworkParams, writeFileAtomically } from '@holdfast/chain'
import {
  type Address,
  address,
  type Bytes,
  bytes,
  type Hash32,
  HoldfastError,
  hash32,
  type ProviderId,
  type SessionGrant,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { errorCode, errorMessage } from '../system-error.ts'

/** What is kept of a grant. */
export interface KeptGrant {
  readonly payer: Address
  /** The session key. */
  readonly key: Address
  /** The one provider that it is for; zero for any. */
  readonly provider: Address
  readonly bytesMax: Bytes
  readonly notBefore: Timestamp
  readonly expiry: Timestamp
  readonly nonce: Hash32
  /** When it was taken back; undefined while it counts. */
  readonly revokedAt: Timestamp | undefined
  /** Providers that could not be told so the last time. */
  readonly untold: readonly ProviderId[]
}

const FORMAT = 'holdfast-grant/1'
const NAME = /^[0-9a-f]{64}\.json$/
/** Some hundred bytes are written; what is larger was not written here. */
const FILE_BYTES_MAX = 4096

export class GrantBook {
  readonly #folder: string
  /** A home may serve several networks. */
  readonly #network: string

  constructor(home: string, { chainId, contracts }: Pick<NetworkParams, 'chainId' | 'contracts'>) {
    this.#folder = join(home, 'grants')
    this.#network = `${chainId}/${contracts.market}`
  }

  /** Durable when it resolves. @throws HoldfastError `INPUT_UNREADABLE`. */
  async keep(grant: SessionGrant | KeptGrant): Promise<void> {
    const { payer, key, provider, bytesMax, notBefore, expiry, nonce } = grant
    const { revokedAt, untold } =
      'revokedAt' in grant ? grant : { revokedAt: undefined, untold: [] }
    const figures = {
      bytesMax,
      notBefore,
      expiry,
      ...(revokedAt === undefined ? {} : { revokedAt }),
    }
    const texts = Object.entries(figures).map(([name, value]) => [name, String(value)])
    const body = {
      ...{ format: FORMAT, network: this.#network, payer, key, provider, nonce, untold },
      ...Object.fromEntries(texts),
    }
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    } catch (cause) {
      throw unreadable(this.#folder, cause)
    }
    const text = `${JSON.stringify(body, undefined, 2)}\n`
    await writeFileAtomically(this.#pathOf(nonce), text, { mode: 0o600 })
  }

  /**
   * Grants on this network that have not expired, the first to expire first. Removes the others.
   * @throws HoldfastError `INPUT_UNREADABLE`, `CONFIG_INVALID` for a file that cannot be understood.
   */
  async list(now: Timestamp): Promise<readonly KeptGrant[]> {
    const found: KeptGrant[] = []
    for (const name of await this.#names()) {
      const path = join(this.#folder, name)
      const read = await readGrant(path)
      if (read === undefined) continue
      const { grant, network } = read
      if (grant.expiry <= now) await rm(path, { force: true })
      else if (network === this.#network) found.push(grant)
    }
    return found.sort((a, b) => Number(a.expiry - b.expiry))
  }

  /** Writes down what came of taking a grant back, if it is one of this book. */
  async noteRevoked(
    { nonce }: Pick<SessionGrant, 'nonce'>,
    told: readonly { readonly provider: ProviderId; readonly error: unknown }[],
    now: Timestamp,
  ): Promise<void> {
    const read = await readGrant(this.#pathOf(nonce))
    if (read === undefined || read.network !== this.#network) return
    const untold = told.flatMap(({ provider, error }) => (error === undefined ? [] : [provider]))
    await this.keep({ ...read.grant, revokedAt: now, untold })
  }

  #pathOf(nonce: Hash32): string {
    return join(this.#folder, `${nonce.slice(2)}.json`)
  }

  async #names(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => NAME.test(name))
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return []
      throw unreadable(this.#folder, cause)
    }
  }
}

const unreadable = (path: string, cause: unknown): HoldfastError =>
  new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason: errorMessage(cause) }, { cause })

/** Undefined when it is gone: another command may have removed what expired. */
const readGrant = async (
  path: string,
): Promise<{ readonly grant: KeptGrant; readonly network: string } | undefined> => {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw unreadable(path, cause)
  }
  try {
    if (text.length > FILE_BYTES_MAX) throw new Error('it is too large')
    const body = JSON.parse(text) as Readonly<Record<string, unknown>>
    const word = (name: string): string => String(body[name])
    if (body['format'] !== FORMAT) throw new Error(`it is no ${FORMAT}`)
    const untold = body['untold']
    if (!Array.isArray(untold)) throw new Error('it has no list of providers')
    const grant: KeptGrant = {
      ...{ payer: address(word('payer')), key: address(word('key')) },
      provider: address(word('provider')),
      bytesMax: bytes(BigInt(word('bytesMax'))),
      notBefore: timestamp(BigInt(word('notBefore'))),
      expiry: timestamp(BigInt(word('expiry'))),
      nonce: hash32(word('nonce')),
      revokedAt: body['revokedAt'] === undefined ? undefined : timestamp(BigInt(word('revokedAt'))),
      untold: untold.map((one) => address(String(one))),
    }
    return { grant, network: word('network') }
  } catch (cause) {
    const reason = `${errorMessage(cause)}; if it is damaged, remove it`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason }, { cause })
  }
}
