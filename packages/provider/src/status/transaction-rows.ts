/**
 * The operator account's transactions: those on their way from the line of nonces, then the last mined
 * ones from the books. Pure.
 */
import type { NonceLine } from '@holdfast/chain'
import type { GasEntry } from '../earnings/account-types.ts'
import type { TransactionStatus } from './node-status.ts'

const SHOWN = 50

/** @param entries oldest first. @returns the newest mined first, after all that are on their way. */
export const transactionRows = (
  line: Pick<NonceLine, 'unspent' | 'slots' | 'intent'>,
  entries: readonly GasEntry[],
): readonly TransactionStatus[] => {
  const slots = new Map(line.slots.map((slot) => [slot.settled?.hash, slot]))
  const mined = entries.slice(-SHOWN).toReversed()
  return [
    ...inFlight(line),
    ...mined.map(({ kind, transaction, at, wei }): TransactionStatus => {
      const slot = slots.get(transaction)
      return {
        ...{
          kind,
          isProof: kind === 'prove',
          state: 'mined',
          transaction,
          at,
          wei,
          nonce: slot?.nonce,
        },
        replacements: slot === undefined ? undefined : slot.attempts.length - 1,
      }
    }),
  ]
}

/** What was signed and not yet spent by the chain, by nonce. */
const inFlight = (line: Pick<NonceLine, 'unspent' | 'intent'>): readonly TransactionStatus[] =>
  line.unspent.map((slot) => {
    const latest = slot.attempts.at(-1)
    const intent = latest === undefined ? undefined : line.intent(latest.intent)
    return {
      kind: latest?.cancels === true ? 'cancel' : nameOf(intent?.name ?? 'transaction'),
      isProof: intent?.lane === 'proofs',
      state: 'in flight',
      transaction: latest?.hash,
      nonce: slot.nonce,
      replacements: slot.attempts.length - 1,
      at: intent?.since,
      wei: undefined,
    }
  })

/** `settle 0x… 0x…` names every deal; people want to know how many. */
const nameOf = (name: string): string => {
  const [word = name, ...subjects] = name.split(' ')
  return subjects.length > 1 ? `${word} of ${subjects.length} deals` : name
}
