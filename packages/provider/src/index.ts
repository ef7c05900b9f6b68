/** The face of `@holdfast/provider`: re-exports only. */
export type { ProviderConfig } from './config.ts'
export { DISK_MARGIN_DEFAULT, PAYLOAD_MAX_DEFAULT, readConfig, writeConfig } from './config.ts'
export { type HomePaths, homePaths } from './home.ts'
export type { ProviderDependencies, ProviderEndpoints, ProviderOptions } from './provider.ts'
export { Provider } from './provider.ts'
export { FileSectorStore } from './store/file-sector-store.ts'
export type { SectorStore, StoredPayload } from './store/sector-store.ts'
export { createVolume } from './store/volume-files.ts'
