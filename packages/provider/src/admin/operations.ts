/**
 * The operations every node has. Stores, duties and commands register theirs beside them.
 */
import type { AdminRegistry } from './registry.ts'

export interface NodeOperations {
  /** What the node says about itself. */
  readonly status: () => Promise<object> | object
  /** Asks the program to stop as SIGTERM does; resolves at once. */
  readonly shutdown: () => void
  /** Reads configuration and certificate again. */
  readonly reload: () => Promise<object>
  /** Makes a new certificate for the registered key. */
  readonly renewCertificate: () => Promise<void>
}

/** Registers `status`, `shutdown`, `reload` and `tls/renew`. */
export const registerOperations = (registry: AdminRegistry, node: NodeOperations): void => {
  registry.handle('status', () => node.status())
  registry.handle('shutdown', () => {
    node.shutdown()
    return { stopping: true }
  })
  registry.handle('reload', () => node.reload())
  registry.handle('tls/renew', async () => {
    await node.renewCertificate()
    return { renewed: true }
  })
}
