/** The short form of power-loss.fault.test.ts. */
import { powerSuite } from './support/power-suite.ts'

powerSuite(20)
