/**
 * What `status` and `proofs` share: whether and how long providers are asked to show what they
 * committed to, and how the outcome is told. A provider that is away is a line of the result, not an
 * error; one that shows wrong entries ends the command with exit code 7.
 */
import { type Address, EXIT_CODES, milliseconds, toNumber } from '@holdfast/protocol'
import type { Command } from 'commander'
import { checkReplicas, type ReplicaCheck } from '../audit/check-replicas.ts'
import type { DatasetStatus, ReplicaStatus } from '../status.ts'
import type { CommandResult } from '../ui/output.ts'
import { parseDuration, printable } from '../ui/text.ts'
import type { Runtime } from './runtime.ts'
import type { Session } from './session.ts'

export interface CheckFlags {
  /** Given: all replicas; `--no-check`: none; neither: those of the account's own deals. */
  readonly check?: boolean
  readonly checkTimeout: string
}

export const withCheckFlags = (command: Command): Command =>
  command
    .option('--check', 'check other accounts’ replicas as well')
    .option('--no-check', 'ask no provider to show what it committed to')
    .option('--check-timeout <duration>', 'how long to wait for one provider', '10s')

/** Asks the providers of the chosen replicas, and adds what they could show. */
export const addChecks = async (
  told: CommandResult,
  status: DatasetStatus,
  parts: {
    readonly runtime: Runtime
    readonly session: Session
    readonly account: Address | undefined
    readonly flags: CheckFlags
  },
): Promise<CommandResult> => {
  const { runtime, session, account, flags } = parts
  const timeoutMs = milliseconds(toNumber(parseDuration(flags.checkTimeout)) * 1000)
  const chosen = status.replicas.filter((replica) => isChosen(replica, account, flags.check))
  if (chosen.length === 0) return told
  const dependencies = { ...session, clock: runtime.clock }
  const checks = await checkReplicas(dependencies, chosen, { ...session.options, timeoutMs })
  return withChecks(told, checks)
}

const isChosen = (
  { deal, proven }: ReplicaStatus,
  account: Address | undefined,
  check: boolean | undefined,
): boolean => {
  if (check !== undefined) return check
  return deal.terms.client === account && proven.length > 0
}

const withChecks = (told: CommandResult, checks: readonly ReplicaCheck[]): CommandResult => {
  const wrong = checks.some(({ state }) => state === 'wrong')
  return {
    value: { ...(told.value as object), checks },
    text: [told.text, ...checks.map(lineOf)].join('\n'),
    ...(wrong ? { exit: EXIT_CODES.verification } : {}),
  }
}

const SAID: Readonly<Record<ReplicaCheck['state'], string>> = {
  shown: 'shows what it committed to',
  wrong: 'CANNOT SHOW WHAT IT COMMITTED TO',
  silent: 'could not be asked',
  'not-committed': 'proved directly, nothing to show',
  'nothing-proven': 'has proven nothing yet',
}

const lineOf = (check: ReplicaCheck): string => {
  const period = 'period' in check ? ` (period ${check.period})` : ''
  const reason = 'reason' in check ? `: ${printable(check.reason)}` : ''
  return `${check.provider}  ${SAID[check.state]}${period}${reason}`
}
