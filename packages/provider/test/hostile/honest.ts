/** Clients that only want their data kept and given back, while others misbehave. */
import { providerService } from '@holdfast/protocol'
import type { TestClient } from '../support/client.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'

export interface HonestWork {
  /** Payloads stored, read back and compared. */
  readonly done: number
  readonly failed: readonly string[]
}

/** The same while it goes on. */
export interface Progress {
  done: number
  readonly failed: string[]
}

/** Stores and reads one payload after the other until time is up; every one must succeed. */
export const workHonestly = async (
  client: TestClient,
  seed: number,
  { until, progress }: { readonly until: AbortSignal; readonly progress: Progress },
): Promise<HonestWork> => {
  while (!until.aborted && progress.failed.length < 20) {
    const payload = payloadOf(300_000, seed + progress.done)
    try {
      await client.call(providerService.describe, {})
      await client.upload(payload)
      const read = await client.get(commitmentOf(payload).root)
      if (!Buffer.from(read.body).equals(payload)) throw new Error(`read ${read.status}`)
      progress.done++
    } catch (error) {
      progress.failed.push(error instanceof Error ? error.message : String(error))
    }
  }
  return progress
}
