/** The operator's socket: who may reach it, what it answers, what it refuses, long homes included. */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { askAdmin } from '../../src/admin/client.ts'
import { AdminRegistry, adminFlag, adminText } from '../../src/admin/registry.ts'
import { AdminServer } from '../../src/admin/server.ts'
import { type LogLine, recordingLogger, TestNetwork } from '../support/network.ts'

/** Sends anything; returns status and body. */
const raw = (socketPath: string, method: string, path: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path, agent: false }, (response) => {
      let text = `${response.statusCode} `
      response.on('data', (part) => {
        text += part
      })
      response.on('end', () => resolve(text))
    })
    asking.on('error', reject)
    asking.end(body)
  })

describe('the admin socket', () => {
  let folder: string
  let socket: string
  let server: AdminServer
  const log: LogLine[] = []
  const registry = new AdminRegistry()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-admin-'))
    socket = join(folder, 'admin.sock')
    registry.handle('echo', (input) => ({ input, big: 2n ** 70n }))
    registry.handle('volumes/add', (input) => ({
      path: adminText(input, 'path'),
      readOnly: adminFlag(input, 'readOnly'),
    }))
    registry.handle('broken', () => {
      throw new Error('secret inner workings')
    })
    registry.handle('wait', (_input, signal) => {
      return new Promise((_resolve, reject) => {
        const stop = (): void => reject(new HoldfastError({ code: 'ABORTED' }))
        signal.addEventListener('abort', stop, { once: true })
      })
    })
    server = new AdminServer({ registry, logger: recordingLogger(log) })
    await server.listen(socket)
  })

  afterAll(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('is readable and writable for its owner alone', async () => {
    const { mode } = await stat(socket)
    expect(mode & 0o777).toBe(0o600)
  })

  test('answers with what the handler returns, big integers as text', async () => {
    const answer = await askAdmin(socket, 'echo', { word: 'hello' })
    expect(answer).toEqual({ input: { word: 'hello' }, big: String(2n ** 70n) })
    expect(await askAdmin(socket, 'volumes/add', { path: '/data' })).toEqual({
      path: '/data',
      readOnly: false,
    })
  })

  test('lists its operations', async () => {
    expect(await raw(socket, 'GET', '/', '')).toMatch(/^200 .*"volumes\/add"/)
  })

  test('refuses what it does not know and what is malformed, each by its code', async () => {
    await expect(askAdmin(socket, 'nothing')).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' })
    await expect(askAdmin(socket, 'volumes/add', { path: 7 })).rejects.toMatchObject({
      code: 'MESSAGE_INVALID',
      detail: { field: 'path' },
    })
    expect(await raw(socket, 'POST', '/echo', '[1]')).toMatch(/^400 .*MESSAGE_INVALID/)
    expect(await raw(socket, 'POST', '/echo', '{"a":')).toMatch(/^400 .*MESSAGE_INVALID/)
    expect(await raw(socket, 'PUT', '/echo', '{}')).toMatch(/^404/)
    const long = JSON.stringify({ text: 'x'.repeat(70_000) })
    expect(await raw(socket, 'POST', '/echo', long)).toMatch(/^400 .*more than 65536/)
  })

  test('says of our own faults that there was one, and logs the rest', async () => {
    const failed = await askAdmin(socket, 'broken').catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'INVARIANT' })
    expect(String(failed)).not.toContain('secret')
    expect(JSON.stringify(log)).toContain('secret inner workings')
  })

  test('tells a handler when its caller goes away', async () => {
    const gone = new AbortController()
    const asked = askAdmin(socket, 'wait', {}, { signal: gone.signal })
    gone.abort()
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('takes a name once', () => {
    expect(() => registry.handle('echo', () => ({}))).toThrow(/echo/)
    expect(() => registry.handle('../x', () => ({}))).toThrow(/no second/)
  })

  test('says that no node listens when there is none', async () => {
    await expect(askAdmin(join(folder, 'none.sock'), 'status')).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    })
  })

  test('works in a home whose path is longer than the system takes', async () => {
    const deep = join(folder, 'd'.repeat(90), 'e'.repeat(90))
    await mkdir(deep, { recursive: true })
    const other = new AdminServer({ registry, logger: recordingLogger(log) })
    await other.listen(join(deep, 'admin.sock'))
    try {
      expect(await askAdmin(join(deep, 'admin.sock'), 'echo')).toMatchObject({ input: {} })
      expect((await stat(join(deep, 'admin.sock'))).mode & 0o777).toBe(0o600)
    } finally {
      await other.close()
    }
  })

  test('can be tried again when it could not be bound, and then answers', async () => {
    const later = join(folder, 'later')
    const other = new AdminServer({ registry, logger: recordingLogger(log) })
    try {
      for (let i = 0; i < 3; i++) {
        await expect(other.listen(join(later, 'admin.sock'))).rejects.toThrow(/EACCES|ENOENT/)
      }
      await mkdir(later)
      expect(await other.listen(join(later, 'admin.sock'))).toBe(true)
      expect(await askAdmin(join(later, 'admin.sock'), 'echo')).toMatchObject({ input: {} })
    } finally {
      await other.close()
    }
  })
})

describe('the admin socket of a node', () => {
  test('reports status, asks for the end, and is gone afterwards', async () => {
    const network = await TestNetwork.create()
    try {
      const running = await network.start()
      const { admin } = network.paths
      expect(await askAdmin(admin, 'status')).toMatchObject({ provider: network.config.provider })
      expect(await askAdmin(admin, 'shutdown')).toEqual({ stopping: true })
      await running.provider.stopAsked
      await running.stop()
      await expect(stat(admin)).rejects.toMatchObject({ code: 'ENOENT' })
    } finally {
      await network.close()
    }
  })
})
