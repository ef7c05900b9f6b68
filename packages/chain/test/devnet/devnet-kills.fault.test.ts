/**
 * kill -9 of the devnet at any moment, the first deployment included: the next start always works,
 * and money that was seen on disk is still there. The moments are drawn from a printed seed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { amount, milliseconds, silentLogger } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { startDevnet } from '../../src/devnet/devnet.ts'
import { readNetwork } from '../../src/network-file.ts'
import { systemClock, systemRandom } from '../../src/system-adapters.ts'
import { withFolder } from '../support/programs.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

const CHILD = fileURLToPath(new URL('./devnet-child.js', import.meta.url))
const ROUNDS = 12
const LONGEST_MS = 2500

/** A number below `limit` from the seed and the round. */
const drawn = (seed: number, round: number, limit: number): number =>
  (Math.imul(seed + round * 7919, 2654435761) >>> 0) % limit

const runAndKill = async (stateDir: string, afterMs: number): Promise<void> => {
  const child = spawn(process.execPath, [CHILD, stateDir], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  await Promise.race([systemClock.sleep(milliseconds(afterMs)), ended])
  expect(child.exitCode).toBeNull()
  child.kill('SIGKILL')
  await ended
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Starts, looks at the money, pays one unit in, and stops. */
const visit = async (stateDir: string): Promise<bigint> => {
  const devnet = await startDevnet({ stateDir, clock: systemClock, logger: silentLogger })
  const [token] = devnet.network.tokens
  const ledger = await devnet.ledger('publisher')
  if (token === undefined) throw new Error('a network has a token')
  await ledger.deposit(token.address, amount(1n))
  const balance = await ledger.balance(ledger.account, token.address)
  await devnet.close()
  return balance
}

describeWithAnvil('kill -9 at any moment', () => {
  const [a = 0, b = 0, c = 0] = systemRandom.bytes(3)
  const seed = a * 65536 + b * 256 + c

  test(`leaves a devnet that starts again, seed ${seed}`, () =>
    withFolder(async (folder) => {
      let expected = 0n
      for (let round = 0; round < ROUNDS; round++) {
        await runAndKill(folder, drawn(seed, round, LONGEST_MS))
        if (round % 3 !== 2) continue
        const file = join(folder, 'network.json')
        const before = (await isThere(file)) ? await readNetwork(file) : undefined
        const balance = await visit(folder)
        const after = await readNetwork(file)
        if (before !== undefined) expect(after.contracts).toEqual(before.contracts)
        expected += 1n
        expect(balance).toBe(expected)
      }
    }))
})
