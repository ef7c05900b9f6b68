/** The face of `@holdfast/client`: re-exports only. */

export { checkDeal, type DealCheck } from './audit/check-deal.ts'
export { decodeEvidence, type Evidence, encodeEvidence } from './audit/evidence/evidence-file.ts'
export { makeEvidence } from './audit/evidence/make-evidence.ts'
export { type Verdict, verifyEvidence } from './audit/evidence/verify-evidence.ts'
export { type CarBlock, type OpenCar, readCar } from './car/read-car.ts'
export { Client, type ClientOptions } from './client.ts'
export { computeCid, measurePayload, type Packed, type PackOptions, packTo } from './pack.ts'
export { makePlan, type Plan, type PlanRequest } from './plan.ts'
export { GrantBook, type KeptGrant } from './publish/grant-book.ts'
export {
  approveBill,
  collectOffers,
  heldReplicas,
  type Stored,
  storeAll,
} from './publish/job.ts'
export type { Bill, PublishJob, ReplicaFailure } from './publish/job-types.ts'
export type { Offer } from './publish/offers.ts'
export { PeerPool } from './publish/peers.ts'
export type { ReplicaBook, ReplicaRecord } from './publish/record.ts'
export type { ReplicaContext } from './publish/replica.ts'
export { makeSessionKey, sessionKeyOnce } from './publish/session-key.ts'
export { signVoucher } from './publish/terms.ts'
export { type PayloadFile, type UploadJob, uploadPayload } from './publish/upload.ts'
export {
  type PublishDependencies,
  type Published,
  type PublishRequest,
  publish,
} from './publish.ts'
export type { RangeSource } from './retrieve/range-source.ts'
export { type BlockGetter, ReplicaReader } from './retrieve/replica-reader.ts'
export type { LeftReplica } from './retrieve/replica-set.ts'
export {
  type DirectoryEntry,
  listEntries,
  type OpenNode,
  openNode,
  readFile,
  resolvePath,
} from './retrieve/unixfs-reader.ts'
export { type Written, writeTree } from './retrieve/write-tree.ts'
export {
  type OpenDataset,
  openDataset,
  parseAddress,
  type RetrieveDependencies,
} from './retrieve.ts'
export {
  type RevocableGrant,
  type RevokeDependencies,
  revokeGrant,
  type Told,
} from './revoke-grant.ts'
export { type DatasetStatus, datasetStatus, type ReplicaStatus, waitForStatus } from './status.ts'
export { networkConnector } from './transfer/network-peer.ts'
export type {
  ByteSpan,
  ConnectPeer,
  ProviderPeer,
  UploadPart,
} from './transfer/provider-peer.ts'
export { createProgress, type Phase, type Progress, silentProgress } from './ui/progress.ts'
export type { WatchBudget } from './watch/budget.ts'
export { WatchBook } from './watch/watch-book.ts'
export type { WatchEvent } from './watch/watch-events.ts'
export { type WatchDependencies, Watcher, type WatchRequest } from './watch/watcher.ts'
