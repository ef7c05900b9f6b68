/** Stages for histories, opened once and shared, and the one way to run a seed on one. */
import { seconds } from '@holdfast/protocol'
import { EVERYBODY } from './cast.ts'
import { type Rules, Stage } from './stage.ts'

/** Rules differ where that opens other paths: answers that take two periods, audits that are rare. */
export const RULES: readonly Rules[] = [
  { answerTime: seconds(1000n), auditChance: 3, feeBps: 500 },
  { answerTime: seconds(1500n), auditChance: 9, feeBps: 333 },
]

export const openStage = (rules: Rules): Promise<Stage> =>
  Stage.open(
    rules,
    EVERYBODY.map(({ address }) => address),
  )
