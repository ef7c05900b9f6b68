/**
 * `init`: makes a provider's home and its entry on the ledger. Safe to repeat: what exists is kept,
 * what changed in the flags is changed, money is deposited only before the first registration.
 */
import { randomBytes } from 'node:crypto'
import { access, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import {
  type NetworkFile,
  openEvmLedger,
  openKeystore,
  type ProviderLedger,
  type ProviderRecord,
  type ProviderSettings,
  readNetwork,
  readPassphrase,
  systemClock,
  type TokenInfo,
} from '@holdfast/chain'
import {
  type Amount,
  amount,
  HoldfastError,
  plus,
  type Signer,
  silentLogger,
} from '@holdfast/protocol'
import {
  DISK_MARGIN_DEFAULT,
  PAYLOAD_MAX_DEFAULT,
  type ProviderConfig,
  readConfig,
  writeConfig,
} from '../config.ts'
import { type HomePaths, homePaths, lockHome } from '../home.ts'
import { formatTokens, parseBytes, parseTokens } from '../quantity.ts'
import { createVolume, writeDurably } from '../store/volume-files.ts'
import { createTlsIdentity, readTlsIdentity, type TlsIdentity } from '../tls.ts'
import type { CommandResult } from './output.ts'

export interface InitFlags {
  readonly home: string
  readonly network: string
  readonly region: string
  readonly price: string
  readonly provingFee: string
  readonly egressPrice: string
  readonly capacity: string
  readonly host: string
  readonly grpcPort: string
  readonly httpPort: string
  readonly ownerKeystore: string
  readonly ownerPassphraseFile: string
  readonly operatorKeystore: string
  readonly operatorPassphraseFile: string
  readonly stake: string
  readonly collateralFund: string
  readonly settleEvery?: string
  readonly yes?: boolean
}

interface Setup {
  readonly paths: HomePaths
  readonly network: NetworkFile
  readonly token: TokenInfo
  readonly owner: Signer
  readonly operator: Signer
  readonly stake: Amount
  readonly collateralFund: Amount
}

export const init = async (flags: InitFlags): Promise<CommandResult> => {
  const setup = await readSetup(flags)
  await confirm(flags, setup)
  await mkdir(setup.paths.home, { recursive: true, mode: 0o700 })
  const lock = await lockHome(setup.paths)
  try {
    const config = await makeHome(flags, setup)
    const tls = await makeTls(setup.paths, config.host)
    const registration = await register(setup, config, tls)
    return resultOf(setup, config, tls, registration)
  } finally {
    await lock.release()
  }
}

const readSetup = async (flags: InitFlags): Promise<Setup> => {
  const network = await readNetwork(flags.network)
  const [token] = network.tokens
  if (token === undefined) {
    const reason = 'the network takes no token'
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: flags.network, reason })
  }
  const keys = flags
  const owner = await openKey(keys.ownerKeystore, keys.ownerPassphraseFile)
  const operator = await openKey(keys.operatorKeystore, keys.operatorPassphraseFile)
  return {
    paths: homePaths(resolve(flags.home)),
    network,
    token,
    owner,
    operator,
    stake: parseTokens('--stake', flags.stake, token.decimals),
    collateralFund: parseTokens('--collateral-fund', flags.collateralFund, token.decimals),
  }
}

export const openKey = async (keystore: string, passphraseFile: string): Promise<Signer> =>
  openKeystore(keystore, await readPassphrase(passphraseFile))

const confirm = async (flags: InitFlags, setup: Setup): Promise<void> => {
  if (flags.yes === true) return
  const { token, stake, collateralFund, owner } = setup
  const sum = formatTokens(stake + collateralFund, token.decimals)
  const question = `Register ${owner.address} and lock ${sum} ${token.symbol}? [y/N] `
  if (!process.stdin.isTTY) throw new HoldfastError({ code: 'DECLINED', reason: question })
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await prompt.question(question)
  prompt.close()
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new HoldfastError({ code: 'DECLINED', reason: 'not confirmed' })
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const makeHome = async (flags: InitFlags, setup: Setup): Promise<ProviderConfig> => {
  const { paths, owner, token } = setup
  const known = (await exists(paths.config)) ? await readConfig(paths.config) : undefined
  if (known !== undefined && known.provider !== owner.address) {
    const reason = `belongs to provider ${known.provider}, not ${owner.address}`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: paths.config, reason })
  }
  const tokens = (name: string, text: string): Amount => parseTokens(name, text, token.decimals)
  const config: ProviderConfig = {
    network: resolve(flags.network),
    provider: owner.address,
    operatorKeystore: resolve(flags.operatorKeystore),
    operatorPassphraseFile: resolve(flags.operatorPassphraseFile),
    host: flags.host,
    grpcPort: await portFor('--grpc-port', flags.grpcPort, known?.grpcPort, flags.host),
    httpPort: await portFor('--http-port', flags.httpPort, known?.httpPort, flags.host),
    region: flags.region,
    token: token.address,
    pricePerTibMonth: tokens('--price', flags.price),
    provingFeeMonth: tokens('--proving-fee', flags.provingFee),
    egressPerTib: tokens('--egress-price', flags.egressPrice),
    capacity: parseBytes('--capacity', flags.capacity),
    payloadBytesMax: known?.payloadBytesMax ?? PAYLOAD_MAX_DEFAULT,
    diskMargin: known?.diskMargin ?? DISK_MARGIN_DEFAULT,
    volumes: known?.volumes,
    trashDays: known?.trashDays,
    scrubDays: known?.scrubDays,
    settleEvery: flags.settleEvery === undefined ? known?.settleEvery : Number(flags.settleEvery),
  }
  for (const part of [paths.tls, paths.journal, paths.state]) {
    await mkdir(part, { recursive: true, mode: 0o700 })
  }
  await createVolume(paths.volume, owner.address)
  if (!(await exists(paths.tokenKey))) await writeDurably(paths.tokenKey, randomBytes(32))
  await writeConfig(paths.config, config)
  return readConfig(paths.config)
}

/** 0 keeps the port of a former run, or takes a free one and keeps that. */
const portFor = async (
  flag: string,
  text: string,
  known: number | undefined,
  host: string,
): Promise<number> => {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new HoldfastError({ code: 'USAGE', reason: `${flag} is "${text}", not a port` })
  }
  return port === 0 ? (known ?? (await freePort(host))) : port
}

const freePort = (host: string): Promise<number> =>
  new Promise((resolvePort, reject) => {
    const server = createServer()
    server.once('error', (cause) => {
      const reason = `no port can be had on it: ${cause.message}`
      reject(new HoldfastError({ code: 'CONFIG_INVALID', path: `--host ${host}`, reason }))
    })
    server.listen(0, host, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolvePort(port))
    })
  })

const makeTls = async ({ tls }: HomePaths, host: string): Promise<TlsIdentity> =>
  (await exists(join(tls, 'cert.pem')))
    ? readTlsIdentity(tls)
    : createTlsIdentity(tls, host, new Date(systemClock.now()))

const settingsOf = (
  { operator }: Setup,
  config: ProviderConfig,
  { keyHash }: TlsIdentity,
): ProviderSettings => ({
  operator: operator.address,
  tlsKeyHash: keyHash,
  endpoint: `${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.grpcPort}`,
  region: config.region,
  token: config.token,
  pricePerTibMonth: config.pricePerTibMonth,
  provingFeeMonth: config.provingFeeMonth,
  egressPerTib: config.egressPerTib,
  accepting: true,
})

type Registration = 'registered' | 'updated' | 'unchanged'

const register = async (
  setup: Setup,
  config: ProviderConfig,
  tls: TlsIdentity,
): Promise<Registration> => {
  const { network, owner } = setup
  const ambient = { clock: systemClock, logger: silentLogger }
  const ledger = await openEvmLedger({ network, rpc: network.rpc, signer: owner, ...ambient })
  try {
    const settings = settingsOf(setup, config, tls)
    const record = await ledger.provider(owner.address)
    if (record === undefined) {
      await fund(ledger, setup)
      await ledger.registerProvider(settings, setup.stake)
      return 'registered'
    }
    if (sameSettings(record, settings)) return 'unchanged'
    await ledger.updateProvider(owner.address, settings)
    return 'updated'
  } finally {
    await ledger.close()
  }
}

/** Brings the owner's vault balance up to stake and collateral money. */
const fund = async (ledger: ProviderLedger, setup: Setup): Promise<void> => {
  const { owner, token, stake, collateralFund } = setup
  const wanted = plus(stake, collateralFund)
  const held = await ledger.balance(owner.address, token.address)
  if (held >= wanted) return
  const missing = amount(wanted - held)
  const available = await ledger.tokenBalance(owner.address, token.address)
  if (available < missing) {
    throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: missing, available })
  }
  await ledger.deposit(token.address, missing)
}

const sameSettings = (record: ProviderRecord, settings: ProviderSettings): boolean =>
  record.operator === settings.operator &&
  record.tlsKeyHash === settings.tlsKeyHash &&
  record.endpoint === settings.endpoint &&
  record.region === settings.region &&
  record.token === settings.token &&
  record.pricePerTibMonth === settings.pricePerTibMonth &&
  record.provingFeeMonth === settings.provingFeeMonth &&
  record.egressPerTib === settings.egressPerTib &&
  record.accepting === settings.accepting

const resultOf = (
  { paths, owner, operator }: Setup,
  config: ProviderConfig,
  tls: TlsIdentity,
  registration: Registration,
): CommandResult => {
  const grpc = `${config.host}:${config.grpcPort}`
  const http = `https://${config.host}:${config.httpPort}`
  return {
    json: {
      provider: owner.address,
      operator: operator.address,
      home: paths.home,
      grpc,
      http,
      tlsKeyHash: tls.keyHash,
      registration,
    },
    lines: [
      `provider  ${owner.address} (${registration})`,
      `operator  ${operator.address}`,
      `serves    ${grpc}, ${http}`,
      `home      ${paths.home}`,
      `start it  holdfast-provider run --home ${paths.home}`,
    ],
  }
}
