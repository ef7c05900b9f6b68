/** Clients that provoke, on the chain in memory, whose rules are held against the contracts' elsewhere. */
import { openMemoryArena } from '../support/arena.ts'
import { provokingSuite } from './provoking-suite.ts'

provokingSuite(() => openMemoryArena(5))
