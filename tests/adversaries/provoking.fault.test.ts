/** Clients that provoke, on the embedded chain with the real contracts. */
import { openDevnetArena } from '../support/arena.ts'
import { provokingSuite } from './provoking-suite.ts'

provokingSuite(openDevnetArena)
