/**
 * `holdfast-relay` as a person runs it: seeds of a real chain from a drand address over HTTP, here
 * one of our own that signs with the network's key.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  EXIT_CODES,
  milliseconds,
  period,
  periodAt,
  seconds,
  silentLogger,
} from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { type Devnet, startDevnet } from '../../src/devnet/devnet.ts'
import { writeNetwork } from '../../src/network-file.ts'
import { systemClock } from '../../src/system-adapters.ts'
import { runProgram, withFolder } from '../support/programs.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

const PROGRAM = fileURLToPath(new URL('../../../bin/holdfast-relay.mjs', import.meta.url))

/** drand's HTTP interface, as far as the relayer asks. */
const serveRounds = async (devnet: Devnet) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const round = BigInt(request.url?.split('/').at(-1) ?? '0')
    const signature = Buffer.from(devnet.signRound(round)).toString('hex')
    response.end(JSON.stringify({ round: Number(round), signature }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const url = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}/chain`
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { url, asked, close }
}

const argumentsFor = (devnet: Devnet, network: string): readonly string[] => {
  const { keystore, passphraseFile } = devnet.accounts('relayer')
  return ['--network', network, '--keystore', keystore, '--passphrase-file', passphraseFile]
}

describeWithAnvil('holdfast-relay', () => {
  test('posts seeds from drand addresses until it is stopped', () =>
    withFolder(async (folder) => {
      const devnet = await startDevnet({
        ...{ stateDir: join(folder, 'state'), clock: systemClock, logger: silentLogger },
        ...{ relay: false, period: seconds(6n), window: seconds(6n) },
      })
      const drand = await serveRounds(devnet)
      try {
        const file = join(folder, 'network.json')
        await writeNetwork(file, { ...devnet.network, drandUrls: [drand.url] })
        const child = spawn(process.execPath, [PROGRAM, ...argumentsFor(devnet, file)], {
          stdio: ['ignore', 'pipe', 'ignore'],
        })
        const ended = once(child, 'exit')
        for await (const line of createInterface({ input: child.stdout })) {
          expect(line).toBe(`ready ${devnet.accounts('relayer').address}`)
          break
        }
        const ledger = await devnet.ledger('publisher')
        const from = periodAt(devnet.network, (await ledger.tip()).timestamp)
        const posted = async (): Promise<boolean> => {
          for (let of = from; of < from + 10n; of = period(of + 1n)) {
            if ((await ledger.seed(of)) !== undefined) return true
          }
          return false
        }
        while (!(await posted())) await systemClock.sleep(milliseconds(50))
        expect(drand.asked[0]).toMatch(/^\/chain\/public\/\d+$/)
        child.kill('SIGTERM')
        expect(await ended).toEqual([0, null])
      } finally {
        drand.close()
        await devnet.close()
      }
    }))

  test('says what it lacks', () =>
    withFolder(async (folder) => {
      const missing = await runProgram(PROGRAM, ['--network', join(folder, 'network.json')])
      expect(missing.code).toBe(EXIT_CODES.usage)
      const devnet = await startDevnet({
        ...{ stateDir: folder, clock: systemClock, logger: silentLogger, relay: false },
      })
      await devnet.close()
      const none = await runProgram(PROGRAM, argumentsFor(devnet, devnet.networkFile))
      expect(none.code).toBe(EXIT_CODES.usage)
      expect(none.stderr).toContain('drandUrls')
    }))
})
