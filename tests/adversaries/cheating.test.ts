/** Providers that cheat, on the chain in memory, whose rules are held against the contracts' elsewhere. */
import { openMemoryArena } from '../support/arena.ts'
import { cheatingSuite } from './cheating-suite.ts'

cheatingSuite(() => openMemoryArena(11))
