/**
 * Deploys one network's contracts, on any EVM chain with EIP-2537, from one account. The contracts
 * name each other by addresses computed from the account's nonces, so nothing can be rewired later
 * and nobody is an administrator. The order is that of DealMarket.sol.
 */
import {
  type Address,
  type Amount,
  address,
  type Hex,
  HoldfastError,
  type Seconds,
  type Signer,
  type Timestamp,
  timestamp,
  toHex,
} from '@holdfast/protocol'
import { encodeDeployData, erc20Abi, getContractAddress } from 'viem'
import { call, getBlock, getTransactionCount, readContract } from 'viem/actions'
import { type ChainClient, reach } from '../evm/client.ts'
import { type Mined, Transactor } from '../evm/transactor.ts'
import {
  dealMarketAbi,
  dealMarketBytecode,
  disputesAbi,
  disputesBytecode,
  drandBeaconAbi,
  drandBeaconBytecode,
  proofLedgerAbi,
  proofLedgerBytecode,
  providerRegistryAbi,
  providerRegistryBytecode,
  vaultAbi,
  vaultBytecode,
} from '../generated/contracts.ts'
import type { NetworkParams, TokenInfo } from '../ledger.ts'
import { publicKeyPoint } from '../relayer/drand.ts'

/** What is decided once, when a network is made. */
export interface DeployParameters {
  /** Accepted tokens, the default (stake) token first. */
  readonly tokens: readonly Address[]
  readonly feeAccount: Address
  readonly minimumStake: Amount
  readonly period: Seconds
  readonly window: Seconds
  readonly seedDelay: Seconds
  readonly directChallenges: number
  readonly feeBps: number
  /** How long after its deadline a period can still change. */
  readonly disputeTime: Seconds
  /** How long a provider has for the answer to a dispute. */
  readonly answerTime: Seconds
  /** One committed period in this many is audited by chance. */
  readonly auditChance: number
  /** What a dispute puts at stake while no other is open, in the first token. */
  readonly disputeBond: Amount
  /** What a lost dispute or audit takes from the stake, in the first token. */
  readonly disputeSlash: Amount
  readonly drand: {
    readonly genesis?: Timestamp
    readonly period: Seconds
    readonly publicKey: Hex
  }
  /** Start of period 0; the newest block's time unless given. Not in the future. */
  readonly genesis?: Timestamp
}

/** The G1 addition precompile: infinity plus infinity is 128 zero bytes. */
const G1_ADD = address(`0x${'00'.repeat(19)}0b`)

/** @throws HoldfastError `CHAIN_UNSUITABLE` on a chain without the BLS12-381 precompiles. */
const checkPrecompiles = async (client: ChainClient): Promise<void> => {
  const data: Hex = toHex(new Uint8Array(256))
  const answer = await reach(client, (rpc) => call(rpc, { to: G1_ADD, data }))
  if (answer.data === toHex(new Uint8Array(128))) return
  throw new HoldfastError({
    code: 'CHAIN_UNSUITABLE',
    reason: `${client.endpoint} has no BLS12-381 precompiles (EIP-2537), which verify the seeds`,
  })
}

const tokenInfo = async (client: ChainClient, token: Address): Promise<TokenInfo> => {
  const contract = { address: token, abi: erc20Abi } as const
  try {
    const [symbol, decimals] = await Promise.all([
      reach(client, (rpc) => readContract(rpc, { ...contract, functionName: 'symbol' })),
      reach(client, (rpc) => readContract(rpc, { ...contract, functionName: 'decimals' })),
    ])
    return { address: token, symbol, decimals }
  } catch (cause) {
    if (HoldfastError.is(cause)) throw cause
    const reason = `${token} is no ERC-20 token with symbol and decimals`
    throw new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason }, { cause })
  }
}

interface Addresses {
  readonly beacon: Address
  readonly vault: Address
  readonly registry: Address
  readonly proofs: Address
  readonly disputes: Address
  readonly market: Address
}

const ORDER = ['beacon', 'vault', 'registry', 'proofs', 'disputes', 'market'] as const

/** Where contracts created from `nonce` on will be, in the order above. */
const addressesFrom = (from: Address, nonce: bigint): Addresses => {
  const at = (offset: bigint): Address =>
    address(getContractAddress({ opcode: 'CREATE', from, nonce: nonce + offset }))
  return {
    ...{ beacon: at(0n), vault: at(1n), registry: at(2n) },
    ...{ proofs: at(3n), disputes: at(4n), market: at(5n) },
  }
}

type Schedule = Pick<NetworkParams, 'genesis' | 'period' | 'window' | 'seedDelay' | 'drand'>

const beaconCode = (schedule: Schedule, proofs: Address): Hex =>
  encodeDeployData({
    abi: drandBeaconAbi,
    bytecode: drandBeaconBytecode,
    args: [
      {
        genesis: schedule.genesis,
        period: schedule.period,
        window: schedule.window,
        seedDelay: schedule.seedDelay,
        drandGenesis: schedule.drand.genesis,
        drandPeriod: schedule.drand.period,
      },
      toHex(publicKeyPoint(schedule.drand.publicKey)),
      proofs,
    ],
  })

const proofsCode = (parameters: DeployParameters, at: Addresses): Hex =>
  encodeDeployData({
    abi: proofLedgerAbi,
    bytecode: proofLedgerBytecode,
    args: [
      ...([at.registry, at.market, at.disputes, at.beacon] as const),
      {
        disputeTime: parameters.disputeTime,
        answerTime: parameters.answerTime,
        auditChance: parameters.auditChance,
        directChallenges: parameters.directChallenges,
      },
    ],
  })

const disputesCode = (parameters: DeployParameters, at: Addresses): Hex =>
  encodeDeployData({
    abi: disputesAbi,
    bytecode: disputesBytecode,
    args: [
      ...([at.vault, at.registry, at.proofs] as const),
      parameters.disputeBond,
      parameters.disputeSlash,
    ],
  })

const creationCodes = (
  parameters: DeployParameters,
  schedule: Schedule,
  at: Addresses,
): Readonly<Record<keyof Addresses, Hex>> => ({
  beacon: beaconCode(schedule, at.proofs),
  vault: encodeDeployData({
    abi: vaultAbi,
    bytecode: vaultBytecode,
    args: [parameters.tokens, parameters.feeAccount, at.registry, at.disputes, at.market],
  }),
  registry: encodeDeployData({
    abi: providerRegistryAbi,
    bytecode: providerRegistryBytecode,
    args: [at.vault, at.proofs, at.disputes, parameters.minimumStake],
  }),
  proofs: proofsCode(parameters, at),
  disputes: disputesCode(parameters, at),
  market: encodeDeployData({
    abi: dealMarketAbi,
    bytecode: dealMarketBytecode,
    args: [at.vault, at.registry, at.proofs, at.disputes, BigInt(parameters.feeBps)],
  }),
})

/** Sends creations one by one and checks that each lands where the others expect it. */
const create = async (
  transactor: Transactor,
  name: string,
  creation: { readonly code: Hex; readonly expected: Address },
): Promise<Mined> => {
  const mined = await transactor.send({ data: creation.code })
  const actual = mined.receipt.contractAddress?.toLowerCase()
  if (actual !== creation.expected) {
    const reason = `${name} was created at ${actual}, not at ${creation.expected}: the account sent other transactions meanwhile; deploy again from an account of its own`
    throw new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason })
  }
  return mined
}

/** One contract without constructor wiring, for the devnet's token. */
export const createContract = async (
  client: ChainClient,
  signer: Signer,
  code: Hex,
): Promise<Address> => {
  const { receipt } = await new Transactor(client, signer).send({ data: code })
  return address(receipt.contractAddress ?? '')
}

/**
 * Deploys a network.
 * @returns what a network file says about it.
 * @throws HoldfastError `CHAIN_UNSUITABLE`, `FUNDS_INSUFFICIENT`, `TX_REVERTED` with the rule that
 *   the parameters break.
 */
export const deployContracts = async (
  client: ChainClient,
  signer: Signer,
  parameters: DeployParameters,
): Promise<NetworkParams> => {
  await checkPrecompiles(client)
  const tokens = await Promise.all(parameters.tokens.map((token) => tokenInfo(client, token)))
  const newest = await reach(client, (rpc) => getBlock(rpc, { blockTag: 'latest' }))
  const genesis = parameters.genesis ?? timestamp(newest.timestamp)
  const drand = { ...parameters.drand, genesis: parameters.drand.genesis ?? genesis }
  const { period, window, seedDelay, directChallenges, feeBps } = parameters
  const { disputeTime, answerTime, auditChance, disputeBond, disputeSlash } = parameters
  const nonce = await reach(client, (rpc) =>
    getTransactionCount(rpc, { address: signer.address, blockTag: 'pending' }),
  )
  const contracts = addressesFrom(signer.address, BigInt(nonce))
  const codes = creationCodes(parameters, { genesis, period, window, seedDelay, drand }, contracts)
  const transactor = new Transactor(client, signer)
  let deployedAt: bigint | undefined
  for (const name of ORDER) {
    const creation = { code: codes[name], expected: contracts[name] }
    const mined = await create(transactor, name, creation)
    deployedAt ??= mined.block.number
    client.logger.info('contract created', { contract: name, address: contracts[name] })
  }
  return {
    ...{ chainId: client.chainId, contracts, tokens, deployedAt: deployedAt ?? 0n },
    ...{ genesis, period, window, seedDelay, directChallenges, feeBps, drand },
    ...{ disputeTime, answerTime, auditChance, disputeBond, disputeSlash },
  }
}
