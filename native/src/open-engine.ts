/**
 * Chooses an engine: the fastest native path, else WASM. A name (from `HOLDFAST_ENGINE`, or given)
 * forces one; a forced engine that this machine does not have is an error, never another engine.
 */
import { readSync } from 'node:fs'
import type { Engine } from './engine.ts'
import { loadAddon, nativeEngines } from './native-engine.ts'
import { openWasmEngine } from './wasm-engine.ts'

/** The environment variable that forces an engine. */
export const ENGINE_VARIABLE = 'HOLDFAST_ENGINE'

/** What can be had here, and why the rest cannot. */
export interface EngineCatalogue {
  /** Fastest first. */
  readonly engines: readonly Engine[]
  /** Why there is no native engine; undefined when there is. */
  readonly nativeMissing: string | undefined
}

/** A forced engine that is not here. */
export class EngineUnavailable extends Error {
  readonly wanted: string

  constructor(wanted: string, catalogue: EngineCatalogue) {
    const have = catalogue.engines.map((engine) => engine.name).join(', ')
    const why = catalogue.nativeMissing ? ` (no native engine: ${catalogue.nativeMissing})` : ''
    super(
      `engine ${wanted} is not available here; there are ${have}${why}. Run npm run build, or unset ${ENGINE_VARIABLE}.`,
    )
    this.name = 'EngineUnavailable'
    this.wanted = wanted
  }
}

/** Every engine of this machine. */
export const listEngines = (): EngineCatalogue => {
  const load = loadAddon()
  return {
    engines: [...(load.ok ? nativeEngines(load.addon) : []), openWasmEngine(readSync)],
    nativeMissing: load.ok ? undefined : load.reason,
  }
}

/**
 * Opens an engine. `wanted` is a name, a prefix such as `native`, or undefined for the fastest.
 * @throws EngineUnavailable when nothing here is called so.
 */
export const openEngine = (wanted?: string): Engine => {
  const catalogue = listEngines()
  const engine = catalogue.engines.find(
    ({ name }) => wanted === undefined || name === wanted || name.startsWith(`${wanted}-`),
  )
  if (engine === undefined) throw new EngineUnavailable(wanted ?? 'any', catalogue)
  return engine
}
