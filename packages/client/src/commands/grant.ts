/**
 * `holdfast grant list` and `grant revoke`: the session keys that `publish` lets sign vouchers in the
 * account's name, and the way to take that back before they expire.
 */
import {
  type Address,
  address,
  bytes,
  EXIT_CODES,
  HoldfastError,
  hash32,
  type Timestamp,
  timestamp,
  toNumber,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import { loadNetwork } from '../config/open-network.ts'
import { GrantBook, type KeptGrant } from '../publish/grant-book.ts'
import { revokeGrant, type Told } from '../revoke-grant.ts'
import { errorText } from '../ui/error-text.ts'
import type { CommandResult } from '../ui/output.ts'
import { formatBytes, formatSeconds, formatTable } from '../ui/text.ts'
import type { Register, Runtime } from './runtime.ts'
import { type SigningSession, withSigner } from './session.ts'

interface RevokeFlags {
  readonly all?: boolean
  readonly nonce?: string
  readonly expiry?: string
}

export const registerGrant: Register = (program, run) => {
  const grant = program
    .command('grant')
    .description('session keys that may upload in your name; publish makes one for each run')
  grant
    .command('list')
    .description('grants signed in this home that have not expired')
    .action(run((runtime) => list(runtime)))
  grant
    .command('revoke [key]')
    .description(
      'tell every provider that a grant counts no more; run again for those that were away',
    )
    .option('--all', 'every grant of the account in this home')
    .option('--nonce <hex>', 'a grant that was signed elsewhere, with --expiry')
    .option('--expiry <seconds>', 'when that grant expires, in Unix time')
    .action(
      run<RevokeFlags>((runtime, flags, key) =>
        withSigner(runtime, (session) => revoke(runtime, session, flags, key)),
      ),
    )
}

const nowOf = ({ clock }: Runtime): Timestamp => timestamp(Math.floor(clock.now() / 1000))

const bookOf = ({ settings }: Runtime, network: ConstructorParameters<typeof GrantBook>[1]) =>
  new GrantBook(settings.home.value, network)

const list = async (runtime: Runtime): Promise<CommandResult> => {
  const { network } = await loadNetwork(runtime.settings)
  const now = nowOf(runtime)
  const grants = await bookOf(runtime, network).list(now)
  const rows = grants.map((grant) => [
    grant.key,
    grant.provider === ZERO_ADDRESS ? 'any' : grant.provider,
    formatBytes(grant.bytesMax),
    `in ${formatSeconds(grant.expiry - now)}`,
    stateOf(grant),
  ])
  const text =
    grants.length === 0
      ? 'no grant that was signed here counts any more'
      : formatTable(['session key', 'provider', 'bytes', 'expires', ''], rows)
  return { value: { grants: grants.map(grantValue) }, text }
}

const grantValue = ({ provider, notBefore, expiry, revokedAt, ...rest }: KeptGrant): unknown => ({
  ...rest,
  provider: provider === ZERO_ADDRESS ? null : provider,
  notBefore: toNumber(notBefore),
  expiry: toNumber(expiry),
  revokedAt: revokedAt === undefined ? null : toNumber(revokedAt),
})

const stateOf = ({ revokedAt, untold }: KeptGrant): string => {
  if (revokedAt === undefined) return 'counts'
  return untold.length === 0 ? 'revoked' : `revoked, ${untold.length} not told`
}

interface Revoked {
  readonly grant: KeptGrant
  readonly told: readonly Told[]
}

const revoke = async (
  runtime: Runtime,
  session: SigningSession,
  flags: RevokeFlags,
  key: string | undefined,
): Promise<CommandResult> => {
  const { network, ledger, options } = session
  const now = nowOf(runtime)
  const book = bookOf(runtime, network)
  const kept = await book.list(now)
  const account = session.signer.address
  const wanted = chosen(flags, key, { kept, account, now })
  const revoked: Revoked[] = []
  for (const grant of wanted) {
    const told = await revokeGrant({ ...session, ledger }, grant, options)
    await book.noteRevoked(grant, told, now)
    revoked.push({ grant, told })
  }
  for (const { told } of revoked) {
    for (const { provider, error } of told) {
      if (error !== undefined) runtime.output.warn(`${provider}: ${errorText(error)}`)
    }
  }
  return describe(revoked)
}

const usage = (reason: string): HoldfastError => new HoldfastError({ code: 'USAGE', reason })

interface Choice {
  readonly kept: readonly KeptGrant[]
  readonly account: Address
  readonly now: Timestamp
}

/** What is to be revoked. @throws HoldfastError `USAGE`, `UNAUTHORIZED`, `NOTHING_TO_DO`. */
const chosen = (
  { all, nonce, expiry }: RevokeFlags,
  key: string | undefined,
  { kept, account, now }: Choice,
): readonly KeptGrant[] => {
  const ways = [all === true, key !== undefined, nonce !== undefined || expiry !== undefined]
  if (ways.filter(Boolean).length !== 1) {
    throw usage('give a session key, --all, or --nonce with --expiry')
  }
  if (all === true) {
    const own = kept.filter(({ payer }) => payer === account)
    if (own.length > 0) return own
    const reason = `no grant of ${account} in this home counts any more`
    throw new HoldfastError({ code: 'NOTHING_TO_DO', reason })
  }
  if (key === undefined) return [elsewhere(nonce, expiry, { account, now })]
  const named = kept.find((grant) => grant.key === address(key))
  if (named === undefined) {
    throw usage(`no grant in this home is of key ${key}: see holdfast grant list`)
  }
  if (named.payer === account) return [named]
  const reason = `the grant of ${key} is of ${named.payer}, and the key in use is of ${account}`
  throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
}

/** A grant that this home knows nothing of: all that a revocation says is its nonce and its end. */
const elsewhere = (
  nonce: string | undefined,
  expiry: string | undefined,
  { account, now }: Pick<Choice, 'account' | 'now'>,
): KeptGrant => {
  if (nonce === undefined || expiry === undefined) throw usage('--nonce and --expiry go together')
  if (!/^\d{1,12}$/.test(expiry)) throw usage(`--expiry ${expiry} is no Unix time in seconds`)
  const end = timestamp(BigInt(expiry))
  if (end <= now) throw usage(`--expiry ${expiry} is over: that grant counts no more`)
  return {
    ...{ payer: account, key: ZERO_ADDRESS, provider: ZERO_ADDRESS, bytesMax: bytes(0) },
    ...{ notBefore: now, expiry: end, nonce: hash32(nonce), revokedAt: undefined },
    untold: [],
  }
}

const describe = (revoked: readonly Revoked[]): CommandResult => {
  const grants = revoked.map(({ grant, told }) => ({
    key: grant.key === ZERO_ADDRESS ? null : grant.key,
    nonce: grant.nonce,
    expiry: toNumber(grant.expiry),
    told: told.filter(({ error }) => error === undefined).map(({ provider }) => provider),
    failures: told.flatMap(({ provider, error }) =>
      error === undefined ? [] : [{ provider, code: error.code, message: errorText(error) }],
    ),
  }))
  const lines = grants.map(({ key, nonce, told, failures }) => {
    const all = told.length + failures.length
    return `${key ?? nonce}  revoked at ${told.length} of ${all} providers`
  })
  const failed = grants.some(({ failures }) => failures.length > 0)
  const exit = failed ? EXIT_CODES.partial : EXIT_CODES.done
  return { value: { grants }, text: lines.join('\n'), exit }
}
