/**
 * What a suite is: a name and a way to open its cases one after another. To add a suite, write a file
 * that exports one and list it in `suites/all.ts`; the harness, tables, JSON and the report follow.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchCase, CaseResult } from './harness.ts'

/** What cases may use, and what they must leave behind. */
export interface SuiteContext {
  /** A folder on disk, removed with everything in it when the suite ends. */
  readonly folder: string
  /** Says what takes long before anything is measured. */
  readonly say: (sentence: string) => void
}

export interface Suite {
  readonly name: string
  /** What it measures, in one line, for `--list`. */
  readonly about: string
  /** Cases, each prepared when it is asked for; finished ones may be forgotten. */
  readonly cases: (context: SuiteContext) => AsyncIterable<BenchCase | CaseResult>
}

/** Runs `use` with a fresh folder and removes it. */
export const withFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
