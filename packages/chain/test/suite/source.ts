import type { Harness } from '../support/harness.ts'

/** The harness of the running suite; open when tests run. */
export type HarnessSource = () => Harness
