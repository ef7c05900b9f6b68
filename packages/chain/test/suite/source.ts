/** How the suites reach the harness, which is opened before their tests and not when they are declared. */
import type { Harness } from '../support/harness.ts'

/** The harness of the running suite; open when tests run. */
export type HarnessSource = () => Harness
