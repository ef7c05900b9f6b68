/** Which sector of an engine the collector would copy next. */
import type { Collectable } from '../../src/store/collect.ts'
import type { VolumeEngine } from '../../src/store/volume-engine.ts'

/** Undefined when copying none would give room back. */
export const worthCopying = (engine: VolumeEngine): Collectable | undefined => {
  const except: number[] = []
  for (;;) {
    const found = engine.apply<'collectable'>({ kind: 'collectable', except })
    if (found === undefined || found.gains) return found
    except.push(found.sector)
  }
}
