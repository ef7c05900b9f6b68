/** What the parent of a process to be killed tells it, and how it hears what was promised. */
export interface KilledUpload {
  readonly id: number
  readonly size: number
  readonly seed: number
  /** An OpenUploadRequest, base64. */
  readonly request: string
  /** Ends of the parts that were called durable. */
  readonly durable: number[]
  /** A CommitUploadResponse, base64, once it was given. */
  receipt?: string
  /** Nobody has a claim on it any more: it may be collected. */
  released?: boolean
  /** The node said that it is gone. */
  removed?: boolean
}

/** Collecting what was released; emptying one of the two volumes onto the other. */
export type Chore = 'collect' | 'drain-a' | 'drain-b'

export interface KillTask {
  readonly nowMs: number
  readonly provider: string
  readonly tlsKeyHash: string
  readonly partBytes: number
  readonly uploads: readonly KilledUpload[]
  /** Done one after the other while the uploads go on. */
  readonly chores: readonly Chore[]
}

/** Where the second volume of such a process is. */
export const secondVolume = (first: string): string => `${first}-b`
