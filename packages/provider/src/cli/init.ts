/**
 * `init`: makes a provider's home and its entry on the ledger. Safe to repeat: what exists is kept,
 * what changed in the flags is changed, money is deposited only before the first registration.
 */
import { access, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import {
  openKeystore,
  readNetwork,
  readPassphrase,
  systemClock,
  systemRandom,
} from '@holdfast/chain'
import { type Address, type Amount, HoldfastError, type Signer } from '@holdfast/protocol'
import {
  DISK_MARGIN_DEFAULT,
  PAYLOAD_MAX_DEFAULT,
  type ProviderConfig,
  readConfig,
  writeConfig,
} from '../config.ts'
import { type HomePaths, homePaths, lockHome } from '../home.ts'
import { hostAndPort } from '../host-and-port.ts'
import { formatTokens, parseBytes, parseTokens } from '../quantity.ts'
import { createVolume } from '../store/volume-files.ts'
import { createTlsIdentity, readTlsIdentity, type TlsIdentity } from '../tls.ts'
import { keepTokenKey } from '../token-key.ts'
import { beneficiaryFor } from './beneficiary.ts'
import type { CommandResult } from './output.ts'
import { type Registration, register, type Setup } from './register.ts'

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
  readonly beneficiary?: string
  readonly yes?: boolean
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
    beneficiary: beneficiaryFor(flags.beneficiary, owner, operator),
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
  const { paths, owner, token, beneficiary } = setup
  const known = (await exists(paths.config)) ? await readConfig(paths.config) : undefined
  if (known !== undefined && known.provider !== owner.address) {
    const reason = `belongs to provider ${known.provider}, not ${owner.address}`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: paths.config, reason })
  }
  const tokens = (name: string, text: string): Amount => parseTokens(name, text, token.decimals)
  const config: ProviderConfig = {
    // What no flag names stays as it was edited: volumes, limits, alarms, endpoints.
    ...known,
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
    beneficiary: namedBeneficiary(beneficiary, known),
  }
  for (const part of [paths.tls, paths.journal, paths.state]) {
    await mkdir(part, { recursive: true, mode: 0o700 })
  }
  await createVolume(paths.volume, owner.address)
  await keepTokenKey(paths.tokenKey, systemRandom)
  await writeConfig(paths.config, config)
  return readConfig(paths.config)
}

const namedBeneficiary = (
  named: Setup['beneficiary'],
  known: ProviderConfig | undefined,
): Address | undefined => {
  if (named === undefined) return known?.beneficiary
  return named === 'owner' ? undefined : named
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

const resultOf = (
  { paths, owner, operator }: Setup,
  config: ProviderConfig,
  tls: TlsIdentity,
  registration: Registration,
): CommandResult => {
  const grpc = hostAndPort(config.host, config.grpcPort)
  const http = `https://${hostAndPort(config.host, config.httpPort)}`
  return {
    json: {
      provider: owner.address,
      operator: operator.address,
      beneficiary: config.beneficiary ?? owner.address,
      home: paths.home,
      grpc,
      http,
      tlsKeyHash: tls.keyHash,
      registration,
    },
    lines: [
      `provider  ${owner.address} (${registration})`,
      `operator  ${operator.address}`,
      ...(config.beneficiary === undefined ? [] : [`paid to   ${config.beneficiary}`]),
      `serves    ${grpc}, ${http}`,
      `home      ${paths.home}`,
      `start it  holdfast-provider run --home ${paths.home}`,
    ],
  }
}
