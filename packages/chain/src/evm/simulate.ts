/**
 * Tries a call on the pending state before it is signed: a refusal costs no gas and is decoded, and
 * the gas limit comes from it.
 */
import { type CallOptions, type Hex, HoldfastError } from '@holdfast/protocol'
import { call, estimateGas } from 'viem/actions'
import { type ChainClient, reach } from './client.ts'
import { decodeFailure } from './decode.ts'

/** EIP-7825: a transaction above this is invalid on every current chain. */
export const TRANSACTION_GAS_MAX: bigint = 1n << 24n
/** Room above the estimate: a quarter, for state that other transactions change in between, ... */
const GAS_MARGIN_DIVISOR = 4n
/**
 * ... and a fixed part, for what time alone changes: an estimate taken in one period and mined in the
 * next meets slots still to be written (a tree's snapshot, three; a payment, three).
 */
export const GAS_ROOM = 80_000n

export interface Simulated {
  readonly account: Hex
  readonly to: Hex | undefined
  readonly data: Hex
}

/**
 * The gas limit of a call that would succeed now.
 * @throws HoldfastError what the contract refuses, decoded; `TRANSACTION_TOO_LARGE`;
 *   `LEDGER_UNREACHABLE`.
 */
export const gasLimitFor = async (
  client: ChainClient,
  { account, to, data }: Simulated,
  room: bigint,
  options: CallOptions,
): Promise<bigint> => {
  const target = to === undefined ? {} : { to }
  const request = { ...target, data, account, blockTag: 'pending' } as const
  let estimate: bigint
  try {
    // The call is what the decoded refusal comes from; the estimate alone may hide it.
    const [answer] = await Promise.all([
      reach(client, (rpc) => estimateGas(rpc, request), options),
      reach(client, (rpc) => call(rpc, request), options),
    ])
    estimate = answer
  } catch (cause) {
    throw decodeFailure(cause)
  }
  if (estimate > TRANSACTION_GAS_MAX) {
    const [limit, actual] = [TRANSACTION_GAS_MAX, estimate]
    throw new HoldfastError({ code: 'TRANSACTION_TOO_LARGE', limit, actual })
  }
  const roomy = estimate + estimate / GAS_MARGIN_DIVISOR + room
  return roomy < TRANSACTION_GAS_MAX ? roomy : TRANSACTION_GAS_MAX
}
