/**
 * Which volume takes a new payload: the one with most room for its slowness. Pure.
 */

/** What is known of a volume when a place is chosen. */
export interface Candidate {
  readonly id: string
  readonly free: bigint
  /** Averaged time to make something durable. */
  readonly latencyMs: number
  /** Questions it has not answered yet. */
  readonly depth: number
  readonly usable: boolean
}

/** Below this all disks are alike. */
const LATENCY_FLOOR_MS = 5

/**
 * Volumes that can take `needed` bytes, best first: by free space over latency, where work that
 * waits counts as latency too.
 */
export const rankVolumes = (
  candidates: readonly Candidate[],
  needed: bigint,
): readonly Candidate[] => {
  const score = ({ free, latencyMs, depth }: Candidate): number =>
    Number(free) / (Math.max(latencyMs, LATENCY_FLOOR_MS) * (1 + depth / 64))
  return candidates
    .filter(({ usable, free }) => usable && free >= needed)
    .sort((a, b) => score(b) - score(a))
}
