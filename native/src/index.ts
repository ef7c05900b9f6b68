/** The face of `@holdfast/native`: re-exports only. */
export * from './engine.ts'
export * from './native-engine.ts'
export * from './nodes.ts'
export * from './open-engine.ts'
export * from './wasm-engine.ts'
