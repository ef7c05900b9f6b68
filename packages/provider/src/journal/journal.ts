/**
 * The port for promises: whatever the provider has told somebody, or is about to do on the chain, is
 * appended here before it is said or done.
 *
 * Invariant: when `append` resolves, the entries survive power loss, in order, all or none.
 */
import type { Entry } from './entries.ts'

export interface Journal {
  /**
   * Appends entries as one unit. Concurrent calls share a sync.
   * @throws HoldfastError `DISK_FULL` (nothing was kept), `STORE_READ_ONLY`.
   */
  append(entries: readonly Entry[]): Promise<void>
  close(): Promise<void>
}
