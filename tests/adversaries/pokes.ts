/**
 * Every write of the ledger as a client would misuse it against a provider that has done nothing wrong,
 * by name. All of them are to be refused.
 */
import { type Ledger, signingDomain } from '@holdfast/chain'
import { amount, consentDigest, hash32, type Period, period } from '@holdfast/protocol'
import type { Greedy } from '../support/greedy.ts'
import { tokenOf } from '../support/greedy.ts'

const ROOT = hash32(`0x${'c0'.repeat(32)}`)

type Poke = readonly [name: string, call: () => Promise<unknown>]

/** Of `greedy` against its own provider, and against the deal of `other`, in and after `of`. */
export const pokes = (greedy: Greedy, other: Greedy, of: Period): readonly Poke[] => [
  ...aboutPeriods(greedy, of),
  ...aboutDeals(greedy, other),
  ...aboutDisputes(greedy, other, of),
  ...aboutMoney(greedy),
]

const aboutPeriods = (
  { client: { ledger }, provider: { provider } }: Greedy,
  of: Period,
): Poke[] => {
  const next = period(of + 1n)
  const fourteen = Array.from({ length: 14 }, (_, i) => period(of + BigInt(i)))
  return [
    ['commit for it', () => ledger.commitPeriod({ provider, period: next, root: ROOT })],
    ['prove for it', () => ledger.provePeriod({ provider, period: next, answers: [] })],
    ['report a proven period', () => ledger.reportMissed(provider, of)],
    ['report the present period', () => ledger.reportMissed(provider, next)],
    ['end it', () => ledger.terminateProvider(provider, fourteen)],
    ['slash an audit that is not owed', () => ledger.slashAudit(provider, of)],
    ['slash it by a later period', () => ledger.slashAudit(provider, next)],
    [
      'show an audit that is not owed',
      () => ledger.answerAudit({ provider, period: of, openings: [] }),
    ],
  ]
}

const aboutDeals = (greedy: Greedy, other: Greedy): Poke[] => {
  const { ledger } = greedy.client
  const { path } = greedy.provider.membership(greedy.deal)
  const theirs = other.provider.membership(other.deal).path
  return [
    ['declare it faulty', () => ledger.declareFault(greedy.deal, path)],
    ['declare it shown lost', () => ledger.declareShownLost(greedy.deal, path)],
    ['declare another shown lost', () => ledger.declareShownLost(other.deal, theirs)],
    ['take it out of the tree', () => ledger.releaseSlot(greedy.deal, path)],
    ['recover it', () => ledger.recoverDeal({ deal: greedy.deal, path, openings: [] })],
    ['resign it for the provider', () => ledger.resignDeal(greedy.deal)],
    ['end the deal of somebody else', () => ledger.terminateDeal(other.deal)],
    ['close it before its end', () => ledger.closeDeal(greedy.deal)],
    ['close it by a consent of its own', () => consentAlone(greedy)],
    ['top it up beyond its term', () => ledger.topUp(greedy.deal, amount(1_000_000n))],
  ]
}

const consentAlone = async ({ client, deal, arena }: Greedy): Promise<unknown> => {
  const digest = consentDigest(deal, signingDomain(arena.network))
  const signature = await client.signer.sign(digest)
  return client.ledger.closeByConsent(deal, { client: signature, operator: signature })
}

const aboutDisputes = (greedy: Greedy, other: Greedy, of: Period): Poke[] => {
  const { ledger } = greedy.client
  const question = { class: 'global', i: 1 } as const
  const entry = greedy.entry(of, question)
  const ask = (changes: Partial<Parameters<Ledger['openDispute']>[0]>): Promise<unknown> =>
    ledger.openDispute({ ...entry, membership: undefined, ...changes })
  const about = { class: 'deal', deal: other.deal, i: 0 } as const
  return [
    ['ask about a period to come', () => ask({ period: period(of + 2n) })],
    ['ask beyond the questions', () => ask({ question: { class: 'global', i: 460 } })],
    [
      'ask about a deal it does not hold',
      () => ask({ question: about, membership: other.provider.membership(other.deal) }),
    ],
    ['slash what nobody asked', () => ledger.slashTimeout(entry, [period(of + 1n)])],
    ['let expire what nobody asked', () => ledger.slashTimeout(entry, [])],
  ]
}

const aboutMoney = ({ client: { ledger }, arena, provider: { provider } }: Greedy): Poke[] => [
  ['withdraw more than it has', () => ledger.withdraw(tokenOf(arena), amount(10n ** 15n))],
  ['withdraw a stake it has not', () => ledger.withdrawStake(amount(1n))],
  [
    'change its registration',
    async () => {
      const record = await ledger.provider(provider)
      if (record === undefined) throw new Error('it is registered')
      return ledger.updateProvider(provider, { ...record, operator: ledger.account })
    },
  ],
]
