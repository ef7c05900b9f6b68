/** Every error that a contract can end with has an entry in the map, and is decoded from real data. */

import { type Hex, HoldfastError } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { type AbiParameter, encodeErrorResult, RawContractError } from 'viem'
import { decodeFailure, decodeRevert } from '../../src/evm/decode.ts'
import { REVERTS } from '../../src/evm/reverts.ts'
import * as generated from '../../src/generated/contracts.ts'

interface ErrorItem {
  readonly type: 'error'
  readonly name: string
  readonly inputs: readonly AbiParameter[]
}

const isError = (item: { readonly type: string }): item is ErrorItem => item.type === 'error'

/** All errors of all generated ABIs by name: ours and those inherited from OpenZeppelin. */
const ERRORS: readonly ErrorItem[] = [
  ...new Map(
    Object.entries(generated)
      .filter(([name]) => name.endsWith('Abi'))
      .flatMap(([, abi]) => (abi as readonly { readonly type: string }[]).filter(isError))
      .map((item) => [item.name, item]),
  ).values(),
]

const example = ({ type }: AbiParameter): unknown => {
  if (type === 'address') return `0x${'11'.repeat(20)}`
  if (type === 'bytes32') return `0x${'22'.repeat(32)}`
  if (type === 'bool') return true
  if (type === 'string') return 'field'
  if (type === 'uint8') return 3
  if (/^uint/.test(type)) return 7n
  throw new Error(`no example for ${type}`)
}

const encoded = (item: ErrorItem): Hex =>
  encodeErrorResult({ abi: [item], errorName: item.name, args: item.inputs.map(example) })

describe('the map of reverts', () => {
  test('finds the errors of the contracts and of OpenZeppelin', () => {
    expect(ERRORS.length).toBeGreaterThan(60)
    const names = ERRORS.map((item) => item.name)
    expect(names).toEqual(expect.arrayContaining(['MarketDealExists', 'ERC20InsufficientBalance']))
  })

  test.each(ERRORS.map((item) => [item.name, item] as const))('maps %s', (name, item) => {
    expect(Object.keys(REVERTS)).toContain(name)
    const detail = decodeRevert(encoded(item))
    // It must be constructible, and an error that is named only must keep its name.
    expect(new HoldfastError(detail).message).not.toContain('undefined')
    if (detail.code === 'TX_REVERTED') expect(detail.error).toBe(name)
  })

  test('has no entry for errors that do not exist', () => {
    const names = new Set([...ERRORS.map((item) => item.name), 'Error', 'Panic'])
    expect(Object.keys(REVERTS).filter((name) => !names.has(name))).toEqual([])
  })

  test('keeps the figures', () => {
    const { abi, args } = {
      abi: generated.contractErrorsAbi,
      args: [`0x${'11'.repeat(20)}`, 500n, 3n] as const,
    }
    const data = encodeErrorResult({ abi, errorName: 'VaultBalanceTooLow', args })
    expect(decodeRevert(data)).toEqual({ code: 'FUNDS_INSUFFICIENT', needed: 500n, available: 3n })
    const closed = encodeErrorResult({ abi, errorName: 'ProofsWindowClosed', args: [4n, 99n] })
    expect(decodeRevert(closed)).toEqual({ code: 'WINDOW_CLOSED', period: 4n, deadline: 99n })
  })

  test('says what it has when data mean nothing to us', () => {
    expect(decodeRevert('0x')).toEqual({ code: 'TX_REVERTED', error: 'NoReason', args: [] })
    expect(decodeRevert('0xdeadbeef')).toMatchObject({ code: 'TX_REVERTED', error: 'Unknown' })
    expect(decodeFailure(new Error('boom')).detail).toMatchObject({ args: ['boom'] })
  })

  test('finds revert data inside the errors of the client, and lets our own pass', () => {
    const data = encodeErrorResult({
      abi: generated.contractErrorsAbi,
      errorName: 'MarketDealUnknown',
      args: [`0x${'22'.repeat(32)}`],
    })
    expect(decodeFailure(new RawContractError({ data })).code).toBe('DEAL_NOT_FOUND')
    expect(decodeFailure(new RawContractError({ data: { data } })).code).toBe('DEAL_NOT_FOUND')
    const ours = new HoldfastError({ code: 'ABORTED' })
    expect(decodeFailure(ours)).toBe(ours)
  })
})
