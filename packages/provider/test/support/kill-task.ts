/** What the parent of a process to be killed tells it. */
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
}

export interface KillTask {
  readonly nowMs: number
  readonly provider: string
  readonly tlsKeyHash: string
  readonly partBytes: number
  readonly uploads: readonly KilledUpload[]
}
