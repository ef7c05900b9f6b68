/** The face of `@holdfast/native/wasm`: what runs without Node, in browsers too. Re-exports only. */
export * from './engine.ts'
export * from './nodes.ts'
export * from './wasm-engine.ts'
