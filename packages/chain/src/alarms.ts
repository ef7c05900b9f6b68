/**
 * The port for what an operator must hear in time. An alarm is a state, not an event: it is raised
 * once, may be raised again with newer words, and is cleared when its reason is gone. Declared here
 * because chain code finds the reasons; the program that runs keeps the board.
 */

export type ChainAlarmKind =
  /** The chain asks more for a transaction than its budget allows. */
  | 'gas-budget'
  /** Somebody else uses the key. */
  | 'key-used-elsewhere'
  /** A transaction is not mined although it is paid well. */
  | 'transaction-stuck'
  /** An endpoint lies, lags or is another chain's: it is not asked for now. */
  | 'endpoint-set-aside'
  /** No endpoint answers. */
  | 'ledger-unreachable'

export interface Alarms<Kind extends string = ChainAlarmKind> {
  /** @param subject what it is about: an intent, an account, an endpoint without its path. */
  raise(kind: Kind, subject: string, message: string): void
  clear(kind: Kind, subject: string): void
}

export const silentAlarms: Alarms<string> = { raise: () => undefined, clear: () => undefined }
