/**
 * A few pipelined connections to one provider: a request goes to the one with the least under way, a
 * new one is opened while there may be more, and nobody waits here: the caller bounds what it sends.
 */
import type { ParsedAnswer } from './answer-parser.ts'
import { Pipeline, type PipelinedRequest, type PipelineTarget } from './pipeline.ts'

export class Pipelines {
  readonly #target: PipelineTarget
  readonly #connectionsMax: number
  readonly #open = new Set<Pipeline>()

  constructor(target: PipelineTarget, connectionsMax: number) {
    this.#target = target
    this.#connectionsMax = connectionsMax
  }

  /** An abort ends the whole connection: what else is under way there fails and may be sent again. */
  async send(request: PipelinedRequest, signal?: AbortSignal): Promise<ParsedAnswer> {
    const pipeline = this.#pick()
    const abort = (): void => pipeline.end()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await pipeline.send(request)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  close(): void {
    for (const pipeline of [...this.#open]) pipeline.end()
  }

  #pick(): Pipeline {
    const [idlest] = [...this.#open].sort((a, b) => a.depth - b.depth)
    const full = this.#open.size >= this.#connectionsMax
    if (idlest !== undefined && (full || idlest.depth === 0)) return idlest
    const opened = new Pipeline(this.#target, (self) => this.#open.delete(self))
    this.#open.add(opened)
    return opened
  }
}
