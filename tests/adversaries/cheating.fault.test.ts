/** Providers that cheat, on the embedded chain with the real contracts. */
import { openDevnetArena } from '../support/arena.ts'
import { cheatingSuite } from './cheating-suite.ts'

cheatingSuite(openDevnetArena)
