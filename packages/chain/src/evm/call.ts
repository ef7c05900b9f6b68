/** A transaction that calls one function of a contract; its arguments are checked against the ABI. */
import type { Hex } from '@holdfast/protocol'
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type EncodeFunctionDataParameters,
  encodeFunctionData,
} from 'viem'
import type { Transaction } from './transactor.ts'

type Writing = 'nonpayable' | 'payable'

export const callOf = <
  const A extends Abi,
  N extends ContractFunctionName<A, Writing>,
  const P extends ContractFunctionArgs<A, Writing, N>,
>(
  to: Hex,
  call: { readonly abi: A; readonly functionName: N; readonly args: P },
): Transaction => ({
  to,
  // viem computes the same type in another way, which the compiler cannot see.
  data: encodeFunctionData(call as unknown as EncodeFunctionDataParameters),
})
