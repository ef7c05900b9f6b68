/**
 * Compares the endpoints with each other now and then, so that one that stands still, runs away or
 * follows another branch is set aside before anything is asked of it. Does nothing where there is
 * only one.
 */
import { HoldfastError, milliseconds } from '@holdfast/protocol'
import { finalBlock } from './agreement.ts'
import { type ChainClient, pause } from './client.ts'

const EVERY_MS = 60_000
/** Branches are compared this deep: ordinary reorganisations are not deeper. */
const BRANCH_DEPTH = 12

/** Runs until the client's signal fires. */
export const watchEndpoints = async (client: ChainClient): Promise<void> => {
  if (client.endpoints.count === 1) return
  while (!client.stop.aborted) {
    try {
      await finalBlock(client, BRANCH_DEPTH)
      await pause(client, milliseconds(EVERY_MS))
    } catch (error) {
      if (client.stop.aborted) return
      const reason = HoldfastError.is(error) ? error.message : String(error)
      client.logger.warn('the endpoints do not agree', { reason })
      await pause(client, milliseconds(EVERY_MS)).catch(() => undefined)
    }
  }
}
