/** What the figures were measured on. */
import { cpus, release, totalmem } from 'node:os'
import { listEngines } from '@holdfast/native'

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memory: string
  readonly system: string
  readonly node: string
  /** Every engine this machine can run, fastest first. */
  readonly engines: readonly string[]
}

export const describeMachine = (): Machine => {
  const all = cpus()
  return {
    processor: all[0]?.model ?? 'unknown',
    cores: all.length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    engines: listEngines().engines.map(({ name }) => name),
  }
}
