/** Every suite there is, in the order in which the report shows them. */
import type { Suite } from '../suite.ts'
import { commitSuite } from './commit.ts'
import { gasSuite } from './gas.ts'
import { hashSuite } from './hash.ts'
import { proveSuite } from './prove.ts'
import { scaleSuite } from './scale.ts'
import { storeSuite } from './store.ts'
import { uploadSuite } from './upload.ts'

export const SUITES: readonly Suite[] = [
  hashSuite,
  commitSuite,
  proveSuite,
  scaleSuite,
  gasSuite,
  storeSuite,
  uploadSuite,
]
