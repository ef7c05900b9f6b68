/** Questions to the person at the terminal. Asked on stderr; never asked when there is no terminal. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { HoldfastError } from '@holdfast/protocol'

const terminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** A yes or no; `DECLINED` without a terminal, because nobody could say yes. */
export const confirm = async (question: string): Promise<boolean> => {
  if (!terminal()) return false
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await reader.question(`${question} [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    reader.close()
  }
}

/**
 * A line that is not shown while it is typed.
 * @throws HoldfastError `USAGE` without a terminal, naming what to use instead.
 */
export const askSecret = async (question: string, instead: string): Promise<string> => {
  if (!terminal()) {
    throw new HoldfastError({ code: 'USAGE', reason: `${question} is needed; use ${instead}` })
  }
  process.stderr.write(`${question}: `)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await reader.question('')
  } finally {
    reader.close()
    process.stderr.write('\n')
  }
}
