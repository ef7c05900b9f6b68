/**
 * The operations every node has. Stores, duties and commands register theirs beside them.
 */
import type { AdminRegistry } from './registry.ts'

export interface NodeOperations {
  /** What the node says about itself. */
  readonly status: () => Promise<object> | object
  /** Asks the program to stop as SIGTERM does; resolves at once. */
  readonly shutdown: () => void
}

/** Registers `status` and `shutdown`. */
export const registerOperations = (registry: AdminRegistry, node: NodeOperations): void => {
  registry.handle('status', () => node.status())
  registry.handle('shutdown', () => {
    node.shutdown()
    return { stopping: true }
  })
}
