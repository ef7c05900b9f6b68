/** The face of `@holdfast/bench`: re-exports only, for its tests and for other suites. */
export * from './data.ts'
export * from './harness.ts'
export * from './peers.ts'
export * from './suite.ts'
export * from './tables.ts'
