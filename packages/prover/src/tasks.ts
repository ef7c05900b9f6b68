/**
 * What crosses the thread border: a closed union of tasks and their results, plain data. A task
 * never throws across: failures are error details. Every task carries a shared flag; it stops at
 * the next safe point once the flag is not zero.
 */
import type { HoldfastErrorDetail, SchemeId } from '@holdfast/protocol'
import type { AnswerTaskJob, RunOfFile } from './answer-job.ts'
import type { BundleTask, BundleTaskValue } from './bundle/tasks.ts'

/** Where a task's payload bytes are. */
export type TaskSource =
  | { readonly from: 'file'; readonly run: RunOfFile; readonly skipHoles: boolean }
  | { readonly from: 'memory'; readonly shared: SharedArrayBuffer; readonly length: number }

/** Hashes one aligned subtree; the result is its root. Writes its kept nodes when told where. */
export interface SubtreeTask {
  readonly kind: 'subtree'
  readonly cancel: Int32Array
  readonly scheme: SchemeId
  readonly source: TaskSource
  readonly level: number
  readonly layers: { readonly path: string; readonly offset: number } | undefined
}

/** Builds the upper groups of kept layers from the lowest; the result is the root. */
export interface LayersTask {
  readonly kind: 'layers'
  readonly cancel: Int32Array
  readonly scheme: SchemeId
  readonly payloadLength: bigint
  readonly layers: { readonly path: string; readonly offset: number }
  /** Whether the file is made durable. */
  readonly sync: boolean
}

/** Hashes a small payload whole; the result is its root and its kept layers. */
export interface SmallTask {
  readonly kind: 'small'
  readonly cancel: Int32Array
  readonly scheme: SchemeId
  /** Where it lies: in a file, or in memory that is shared. */
  readonly source: RunOfFile | Uint8Array
}

export interface AnswerTask {
  readonly kind: 'answer'
  readonly cancel: Int32Array
  readonly jobs: readonly AnswerTaskJob[]
}

/** The proof for the leaves `first` to `last` of one payload. */
export interface RangeTask {
  readonly kind: 'range'
  readonly cancel: Int32Array
  readonly job: Omit<AnswerTaskJob, 'indices'>
  readonly first: bigint
  readonly last: bigint
}

/** SHA-256 of equal messages that lie in shared memory; digests are written behind `out`. */
export interface MessagesTask {
  readonly kind: 'messages'
  readonly cancel: Int32Array
  readonly input: Uint8Array
  readonly size: number
  readonly out: Uint8Array
}

export type Task =
  | SubtreeTask
  | LayersTask
  | SmallTask
  | AnswerTask
  | RangeTask
  | MessagesTask
  | BundleTask

/** The openings of one job, joined: per index the leaf, then the path. */
export type AnswerTaskOutcome =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly leaf: bigint; readonly what: string }

export type TaskValue =
  | { readonly kind: 'node'; readonly node: Uint8Array }
  | { readonly kind: 'small'; readonly node: Uint8Array; readonly layers: Uint8Array }
  | { readonly kind: 'answers'; readonly outcomes: readonly AnswerTaskOutcome[] }
  | { readonly kind: 'range'; readonly proof: Uint8Array }
  | { readonly kind: 'done' }
  | BundleTaskValue

export type TaskResult =
  | { readonly ok: true; readonly value: TaskValue }
  | { readonly ok: false; readonly detail: HoldfastErrorDetail }

/** What every thread is told. */
export interface WorkerData {
  readonly engine: string
  /** The module whose `run` is called; `worker-entry.cts` imports it. */
  readonly entry: string
}
