/**
 * A provider's entry on the ledger, as `init` makes it and brings it up to date: money is deposited only
 * before the first registration.
 */
import {
  type NetworkFile,
  openEvmLedger,
  type ProviderLedger,
  type ProviderRecord,
  type ProviderSettings,
  systemClock,
  type TokenInfo,
} from '@holdfast/chain'
import {
  type Address,
  type Amount,
  amount,
  HoldfastError,
  plus,
  type Signer,
  silentLogger,
} from '@holdfast/protocol'
import type { ProviderConfig } from '../config.ts'
import type { HomePaths } from '../home.ts'
import { hostAndPort } from '../host-and-port.ts'
import type { TlsIdentity } from '../tls.ts'

export interface Setup {
  readonly paths: HomePaths
  readonly network: NetworkFile
  readonly token: TokenInfo
  readonly owner: Signer
  readonly operator: Signer
  /** `owner`: back to the owner; undefined: as it was. */
  readonly beneficiary: Address | 'owner' | undefined
  readonly stake: Amount
  readonly collateralFund: Amount
}

const settingsOf = (
  { operator }: Setup,
  config: ProviderConfig,
  { keyHash }: TlsIdentity,
): ProviderSettings => ({
  operator: operator.address,
  beneficiary: config.beneficiary,
  tlsKeyHash: keyHash,
  endpoint: hostAndPort(config.host, config.grpcPort),
  region: config.region,
  token: config.token,
  pricePerTibMonth: config.pricePerTibMonth,
  provingFeeMonth: config.provingFeeMonth,
  egressPerTib: config.egressPerTib,
  accepting: true,
})

export type Registration = 'registered' | 'updated' | 'unchanged'

export const register = async (
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
  record.beneficiary === settings.beneficiary &&
  record.tlsKeyHash === settings.tlsKeyHash &&
  record.endpoint === settings.endpoint &&
  record.region === settings.region &&
  record.token === settings.token &&
  record.pricePerTibMonth === settings.pricePerTibMonth &&
  record.provingFeeMonth === settings.provingFeeMonth &&
  record.egressPerTib === settings.egressPerTib &&
  record.accepting === settings.accepting
