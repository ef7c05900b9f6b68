/** Clients that provoke, on the embedded chain with the real contracts. */
import { describe } from '@jest/globals'
import { openDevnetArena } from '../support/arena.ts'
import { faultTermsSuite } from './fault-terms-suite.ts'
import { provokingSuite } from './provoking-suite.ts'

describe('appearances', () => provokingSuite(openDevnetArena))
describe('terms', () => faultTermsSuite(openDevnetArena))
