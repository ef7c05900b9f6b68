/** Clients that provoke, on the chain in memory, whose rules are held against the contracts' elsewhere. */
import { describe } from '@jest/globals'
import { openMemoryArena } from '../support/arena.ts'
import { faultTermsSuite } from './fault-terms-suite.ts'
import { provokingSuite } from './provoking-suite.ts'

describe('appearances', () => provokingSuite(() => openMemoryArena(5)))
describe('terms', () => faultTermsSuite(() => openMemoryArena(5)))
