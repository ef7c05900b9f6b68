/**
 * What is asked of the node on chain and not answered yet: disputes and the owed audit, each with why
 * its answer cannot be made, as soon as that was noticed once.
 */
import type { NetworkParams } from '@holdfast/chain'
import { answerDueAt } from '@holdfast/protocol'
import type { Performer } from '../duties/performer.ts'
import type { ChainState } from '../follow/chain-state.ts'
import type { AuditStatus, DisputeStatus } from './node-status.ts'

type Troubles = Pick<Performer, 'troubleWith'>

export const disputeRows = (
  state: ChainState,
  network: NetworkParams,
  performer: Troubles,
): readonly DisputeStatus[] =>
  state.openDisputes().map(({ dispute, openedAt, provider, period, question }) => {
    const deadline = answerDueAt(network, openedAt)
    const entry = { provider, period, question }
    const problem = performer.troubleWith({ kind: 'answer-dispute', entry, deadline })
    return { subject: dispute, deadline, problem }
  })

/** The owed audit; undefined when none is. */
export const auditRow = (state: ChainState, performer: Troubles): AuditStatus | undefined => {
  const owed = state.owedAudit()
  if (owed === undefined) return undefined
  const { period, dueAt: deadline } = owed
  const problem = performer.troubleWith({ kind: 'answer-audit', period, deadline })
  return { period, deadline, problem }
}
