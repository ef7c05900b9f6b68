/** The face of `@holdfast/provider`: re-exports only. */
export { type AdminAnswer, askAdmin } from './admin/client.ts'
export type { AdminHandler, AdminInput, AdminRegistry } from './admin/registry.ts'
export type { ProviderConfig } from './config.ts'
export { DISK_MARGIN_DEFAULT, PAYLOAD_MAX_DEFAULT, readConfig, writeConfig } from './config.ts'
export { type HomePaths, homePaths } from './home.ts'
export type { ProviderEndpoints } from './provider.ts'
export { Provider } from './provider.ts'
export {
  type CoreDependencies,
  type CoreOptions,
  closeCore,
  openCore,
  type ProviderCore,
  recoverCore,
  runCore,
} from './provider-core.ts'
export type { ProviderDependencies, ProviderOptions, ProviderParts } from './provider-parts.ts'
export { PowerLoss, SimulatedDisk } from './simulated/simulated-disk.ts'
export { type Chance, chanceFrom } from './simulated/simulated-file.ts'
export { SimulatedKeyValues } from './simulated/simulated-key-values.ts'
export { simulatedPlatform } from './simulated/simulated-platform.ts'
export { PayloadTree, SimulatedProver } from './simulated/simulated-prover.ts'
export { never, SimulatedRun } from './simulated/simulated-run.ts'
export type { MortalThread } from './simulated/simulated-threads.ts'
export { type Disk, fileDisk, readFully, replaceFile, withFile } from './store/disk.ts'
export type { SectorStore, StoredPayload } from './store/sector-store.ts'
export { createVolume } from './store/volume-files.ts'
export { VolumeSet } from './store/volume-set.ts'
export { TaskGroup } from './task-group.ts'
export { createTlsIdentity } from './tls.ts'
