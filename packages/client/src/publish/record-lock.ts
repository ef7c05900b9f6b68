/**
 * One publish run per payload and home at a time: two at once would each buy what the other is about
 * to. The lock names its process; one whose process is gone is taken over.
 */
import { open, readFile, rm } from 'node:fs/promises'
import { isRunning } from '@holdfast/chain'
import { HoldfastError } from '@holdfast/protocol'
import { errorCode } from '../system-error.ts'

export interface RecordLock {
  release(): Promise<void>
}

const TRIES = 3

/** @throws HoldfastError `HOME_IN_USE` with the process that holds it. */
export const lockRecord = async (path: string): Promise<RecordLock> => {
  for (let attempt = 1; ; attempt++) {
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(String(process.pid))
      await file.close()
      return { release: () => rm(path, { force: true }) }
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
    const pid = Number(await readFile(path, 'utf8').catch(() => ''))
    if (attempt >= TRIES || (pid > 0 && isRunning(pid))) {
      throw new HoldfastError({ code: 'HOME_IN_USE', path, pid })
    }
    await rm(path, { force: true })
  }
}
