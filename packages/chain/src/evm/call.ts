/** A transaction that calls one function of a contract; its arguments are checked against the ABI. */
import { type Hex, HoldfastError } from '@holdfast/protocol'
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type EncodeFunctionDataParameters,
  encodeFunctionData,
  IntegerOutOfRangeError,
} from 'viem'
import type { Transaction } from './transactor.ts'

type Writing = 'nonpayable' | 'payable'

/** @throws HoldfastError `UNIT_INVALID` when a figure has more bits than the contract takes. */
export const callOf = <
  const A extends Abi,
  N extends ContractFunctionName<A, Writing>,
  const P extends ContractFunctionArgs<A, Writing, N>,
>(
  to: Hex,
  call: { readonly abi: A; readonly functionName: N; readonly args: P },
): Transaction => {
  try {
    // viem computes the same type in another way, which the compiler cannot see.
    return { to, data: encodeFunctionData(call as unknown as EncodeFunctionDataParameters) }
  } catch (cause) {
    if (!(cause instanceof IntegerOutOfRangeError)) throw cause
    const unit = `argument of ${call.functionName}`
    throw new HoldfastError({ code: 'UNIT_INVALID', unit, value: cause.shortMessage }, { cause })
  }
}
