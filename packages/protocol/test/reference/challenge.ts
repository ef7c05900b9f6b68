/** Challenges, seeds and answers, packed as their specification reads. */
import { keccak, keccakText, uint, unhex } from './bytes.ts'
import type { Slot, Sum } from './provider-tree.ts'

export interface Context {
  readonly chainId: bigint
  readonly proofs: string
  readonly provider: string
  readonly period: bigint
  readonly seed: string
}

export const base = (context: Context): Buffer =>
  keccak(
    keccakText('holdfast/challenge/v1'),
    uint(context.chainId, 32),
    unhex(context.proofs),
    unhex(context.provider),
    uint(context.period, 8),
    unhex(context.seed),
  )

const number = (data: Buffer): bigint => BigInt(`0x${data.toString('hex')}`)

export const globalPosition = (context: Context, i: number, weight: bigint): bigint =>
  number(keccak(base(context), Buffer.from('00', 'hex'), uint(i, 4))) % weight

export const dealIndex = (
  context: Context,
  deal: string,
  asked: { readonly i: number; readonly leaves: bigint },
): bigint =>
  number(keccak(base(context), Buffer.from('01', 'hex'), unhex(deal), uint(asked.i, 4))) %
  asked.leaves

export const seed = (input: {
  readonly chainId: bigint
  readonly beacon: string
  readonly round: bigint
  readonly signature: string
}): Buffer =>
  keccak(
    keccakText('holdfast/seed/v1'),
    uint(input.chainId, 32),
    unhex(input.beacon),
    uint(input.round, 8),
    unhex(input.signature),
  )

export const packPath = (siblings: readonly Sum[]): Buffer =>
  Buffer.concat(siblings.flatMap(({ hash, weight }) => [hash, uint(weight, 8)]))

export const answer = (input: {
  readonly slot: Slot
  readonly slotIndex: number
  readonly siblings: readonly Sum[]
  readonly leaf: Buffer
  readonly path: Buffer
}): Buffer =>
  Buffer.concat([
    unhex(input.slot.deal),
    uint(input.slot.scheme, 1),
    unhex(input.slot.root),
    uint(input.slot.leaves, 8),
    uint(input.slotIndex, 4),
    packPath(input.siblings),
    input.leaf,
    input.path,
  ])
