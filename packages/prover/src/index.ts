/** The face of `@holdfast/prover`: re-exports only. */
export * from './answer-here.ts'
export * from './bundle.ts'
export type { PlacedNode } from './forest.ts'
export { keptLayersLength } from './layers.ts'
export * from './open-prover.ts'
export * from './piece-cid.ts'
export * from './prover.ts'
export { treeDepth, treeLeaves } from './scheme.ts'
