/**
 * What a provider's stores stand on, as one value: threads, files, LevelDB on a real node; one
 * simulated disk in a simulation (`simulated/`). Everything else of a provider takes ports anyway.
 */
import { type BundleFiles, systemBundleFiles } from './bundles/bundle-files.ts'
import { type JournalFiles, realFiles } from './journal/journal-files.ts'
import { type StorePlatform, systemStore } from './store/store-platform.ts'

export interface Platform {
  readonly store: StorePlatform
  readonly journalFiles: JournalFiles
  readonly bundleFiles: BundleFiles
}

export const systemPlatform: Platform = {
  store: systemStore,
  journalFiles: realFiles,
  bundleFiles: systemBundleFiles,
}
