/**
 * What crosses the thread border for bundles: part of the closed union in `../tasks.ts`. Files are
 * named by their path; a worker opens what it needs and closes it again.
 */
import type { ChallengeContext, DealId, Hash32, Leaves, Root } from '@holdfast/protocol'
import type { AnswerTaskJob } from '../answer-job.ts'
import type { BundleHead } from './layout.ts'

interface Cancellable {
  readonly cancel: Int32Array
}

/** Starts a bundle's file: its deals, and which rank each has. */
export interface BundleBeginTask extends Cancellable {
  readonly kind: 'bundle-begin'
  readonly path: string
  /** 32 bytes per deal, by rank. */
  readonly deals: Uint8Array
  /** What the whole file will take. */
  readonly length: number
}

/** A global challenge that falls into a deal, and where its answer goes. */
export interface PlannedGlobal {
  readonly i: number
  readonly leaf: bigint
  readonly offset: number
}

/** Answers out of one payload for one deal. */
export interface BundleFillJob {
  readonly deal: DealId
  readonly root: Root
  readonly leaves: Leaves
  /** An answer's bytes before its leaf. */
  readonly head: Uint8Array
  /** Bytes of each answer. */
  readonly width: number
  /** Where the payload is, or why no answer can be made. */
  readonly kept: Omit<AnswerTaskJob, 'indices'> | string
  /** The deal's own answers: index of the first, and where the five go. */
  readonly own: { readonly index: number; readonly offset: number } | undefined
  readonly globals: readonly PlannedGlobal[]
}

/** Makes answers and writes them, their places and their hashes. */
export interface BundleFillTask extends Cancellable {
  readonly kind: 'bundle-fill'
  readonly path: string
  readonly deals: number
  readonly context: ChallengeContext
  readonly jobs: readonly BundleFillJob[]
}

/** What became of one job: entries without answer, and the first reason. */
export interface BundleFillRow {
  readonly absent: number
  readonly leaf: bigint
  readonly what: string
}

/** Builds the tree, writes the head, makes all of it durable and gives the file its name. */
export interface BundleSealTask extends Cancellable {
  readonly kind: 'bundle-seal'
  readonly part: string
  readonly path: string
  readonly head: Omit<BundleHead, 'root'>
  readonly durable: boolean
}

export interface BundleHeadTask extends Cancellable {
  readonly kind: 'bundle-head'
  readonly path: string
}

/** A bundle that is read: its file and what its head said. */
export interface BundleSource {
  readonly path: string
  readonly head: BundleHead
}

export interface BundleEntryTask extends Cancellable {
  readonly kind: 'bundle-entry'
  readonly source: BundleSource
  readonly index: number
}

export interface BundleFindTask extends Cancellable {
  readonly kind: 'bundle-find'
  readonly source: BundleSource
  readonly deal: Uint8Array
}

/** Answers `first` to `first` + `count` - 1, all of one page of 128. */
export interface BundlePageTask extends Cancellable {
  readonly kind: 'bundle-page'
  readonly source: BundleSource
  readonly first: number
  readonly count: number
}

export type BundleTask =
  | BundleBeginTask
  | BundleFillTask
  | BundleSealTask
  | BundleHeadTask
  | BundleEntryTask
  | BundleFindTask
  | BundlePageTask

export type BundleTaskValue =
  | { readonly kind: 'bundle-rows'; readonly rows: readonly BundleFillRow[] }
  | { readonly kind: 'bundle-root'; readonly root: Hash32 }
  | { readonly kind: 'bundle-head'; readonly head: BundleHead }
  | { readonly kind: 'bundle-entry'; readonly answer: Uint8Array; readonly path: Uint8Array }
  /** -1 when there is no such deal. */
  | { readonly kind: 'bundle-rank'; readonly rank: number }
  | { readonly kind: 'bundle-page'; readonly answers: readonly Uint8Array[] }
