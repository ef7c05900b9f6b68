/**
 * The trustless gateway over real payloads: blocks, CARs of DAGs, conditions, ranges, what is not there,
 * what is denied, and payloads that are no CARs.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { blockOf, carOf, exampleDag, readCar } from '../support/cars.ts'
import { codeOf, type HttpAnswer } from '../support/http-client.ts'
import { type RunningProvider, TestNetwork, until } from '../support/network.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'

const FIXTURES = fileURLToPath(new URL('../../../../../vectors/trustless-gateway', import.meta.url))

const dag = exampleDag()

let network: TestNetwork
let running: RunningProvider

const get = (
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<HttpAnswer> => running.client.http({ method, path, headers })

/** Uploads a payload and waits until its index is there. */
const publish = async (payload: Uint8Array): Promise<string> => {
  await running.client.upload(payload)
  const { root } = commitmentOf(payload)
  const file = join(network.paths.carIndex, `${root}.cidx`)
  await until('the payload is indexed', () => existsSync(file))
  return root
}

beforeAll(async () => {
  network = await TestNetwork.create()
  running = await network.start()
  await publish(dag.car)
  const { catalogue } = running.provider.parts
  await until('the index is open', () => catalogue.size > 0)
})

afterAll(() => network.close())

const cidsOf = (answer: HttpAnswer): readonly string[] => readCar(answer.body).map(({ cid }) => cid)

describe('single blocks', () => {
  test('come as they are, with headers that let a cache keep them and a browser not run them', async () => {
    const [leaf = dag.root] = dag.leaves
    const answer = await get(`/ipfs/${leaf.cid}?format=raw`)
    expect(answer.status).toBe(200)
    expect(Buffer.from(answer.body).equals(leaf.bytes)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/vnd.ipld.raw',
      'content-disposition': `attachment; filename="${leaf.cid}.bin"`,
      'content-length': String(leaf.bytes.length),
      'cache-control': expect.stringContaining('immutable'),
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
      etag: `"${leaf.cid}.raw"`,
    })
    expect(answer.headers['content-encoding']).toBeUndefined()
  })

  test('by Accept, by HEAD, by range, by condition', async () => {
    const [leaf = dag.root] = dag.leaves
    const path = `/ipfs/${leaf.cid}`
    const accept = { accept: 'application/vnd.ipld.raw', 'accept-encoding': 'gzip' }
    expect((await get(path, accept)).body.length).toBe(leaf.bytes.length)
    const head = await get(path, accept, 'HEAD')
    expect([head.status, head.body.length]).toEqual([200, 0])
    expect(head.headers['content-length']).toBe(String(leaf.bytes.length))
    const part = await get(path, { ...accept, range: 'bytes=100-199' })
    expect([part.status, part.headers['content-range']]).toEqual([
      206,
      `bytes 100-199/${leaf.bytes.length}`,
    ])
    expect(Buffer.from(part.body).equals(leaf.bytes.subarray(100, 200))).toBe(true)
    expect((await get(path, { ...accept, range: 'bytes=999999-' })).status).toBe(416)
    const known = { ...accept, 'if-none-match': `W/"x", "${leaf.cid}.raw"` }
    expect((await get(path, known)).status).toBe(304)
  })
})

describe('CARs', () => {
  const all = (): string[] => {
    const { root, file, leaves, shard, subShard, list } = dag
    const [one, two, three] = leaves.map(({ cid }) => String(cid))
    const names = [root, file].map(({ cid }) => String(cid))
    const rest = [shard, subShard, list].map(({ cid }) => String(cid))
    return [...names, one, two, three, ...rest].map(String)
  }

  test('of a whole DAG hold every block once, depth first', async () => {
    const answer = await get(`/ipfs/${dag.root.cid}?format=car`)
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe(
      'application/vnd.ipld.car; version=1; order=dfs; dups=n',
    )
    expect(cidsOf(answer)).toEqual(all())
    for (const { cid, bytes } of readCar(answer.body)) {
      const digest = createHash('sha256').update(bytes).digest()
      expect(Buffer.from(dag.car).includes(digest)).toBe(true)
      expect(cid).toMatch(/^b/)
    }
  })

  test.each([
    ['block', 'root', () => [dag.root]],
    ['entity', 'root', () => [dag.root]],
    ['entity', 'file', () => [dag.file, ...dag.leaves]],
    ['entity', 'shard', () => [dag.shard, dag.subShard]],
    ['entity', 'list', () => [dag.list]],
    ['all', 'list', () => [dag.list, dag.leaves[1], dag.file, dag.leaves[0], dag.leaves[2]]],
  ] as const)('with dag-scope=%s of the %s hold just that', async (scope, name, expected) => {
    const answer = await get(`/ipfs/${dag[name].cid}?format=car&dag-scope=${scope}`)
    expect(cidsOf(answer)).toEqual(expected().map((block) => String(block?.cid)))
  })

  test('of the gateway fixtures give every block that is linked; what misses one is cut short', async () => {
    const names = (await readdir(FIXTURES)).filter((name) => name.endsWith('.car'))
    expect(names.length).toBeGreaterThan(8)
    for (const name of names) {
      const car = await readFile(join(FIXTURES, name))
      const root = await publish(car)
      const { catalogue } = running.provider.parts
      const roots = async (): Promise<readonly string[]> => catalogue.rootsOf(root as never)
      await until('the index is open', async () => (await roots()).length > 0)
      const [first] = await roots()
      const answer = await get(`/ipfs/${first}?format=car`).catch(() => undefined)
      const missing = name.includes('missing-block')
      expect([name, answer?.complete ?? false]).toEqual([name, !missing])
      if (answer === undefined || missing) continue
      const held = new Map(readCar(car).map(({ cid, bytes }) => [cid, bytes]))
      expect(cidsOf(answer)[0]).toBe(first)
      for (const { cid, bytes } of readCar(answer.body)) expect(held.get(cid)).toEqual(bytes)
    }
  })
})

describe('what is not served', () => {
  test.each([
    [
      'a block that is not here',
      'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy?format=raw',
      404,
    ],
    ['no format', String(dag.root.cid), 400],
    ['a CARv2', `${dag.root.cid}?format=car&car-version=2`, 400],
    ['an unknown scope', `${dag.root.cid}?format=car&dag-scope=most`, 400],
    ['a range of an entity', `${dag.root.cid}?format=car&entity-bytes=0:5`, 400],
    ['no CID', 'hello?format=raw', 400],
    ['a path', `${dag.root.cid}/file?format=raw`, 400],
    ['a path upwards', `..%2f..%2fetc%2fpasswd?format=raw`, 400],
    ['endless text', `${'b'.repeat(5000)}?format=raw`, 400],
  ])('%s', async (_what, path, status) => {
    const answer = await get(`/ipfs/${path}`)
    expect([answer.status, codeOf(answer)]).toEqual([
      status,
      status === 404 ? 'BLOCK_NOT_FOUND' : 'MESSAGE_INVALID',
    ])
  })

  test('unless it is cached: 412 for what is not here', async () => {
    const cid = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
    const answer = await get(`/ipfs/${cid}?format=raw`, { 'cache-control': 'only-if-cached' })
    expect(answer.status).toBe(412)
  })

  test('the probe for gateways, which needs no payload', async () => {
    const raw = await get('/ipfs/bafkqaaa?format=raw')
    expect([raw.status, raw.body.length]).toEqual([200, 0])
    const car = await get('/ipfs/bafkqaaa?format=car')
    expect(cidsOf(car)).toEqual([])
  })

  test('a payload that is no CAR: stored, read by root, and nothing by CID', async () => {
    const payload = payloadOf(100_000, 77)
    await running.client.upload(payload)
    const { root } = commitmentOf(payload)
    const list = join(network.paths.carIndex, 'barren.list')
    const name = Buffer.from(root.slice(2), 'hex')
    await until('it is listed', async () => (await readFile(list)).includes(name))
    expect((await running.client.get(root)).status).toBe(200)
    expect(await running.provider.parts.catalogue.rootsOf(root as never)).toEqual([])
    expect(existsSync(join(network.paths.carIndex, `${root}.cidx`))).toBe(false)
  })

  test('an index goes with its payload', async () => {
    const { catalogue } = running.provider.parts
    const block = blockOf(Buffer.from('a block of its own'))
    const root = await publish(Buffer.from(carOf(block.cid, [block])))
    await until('its index is open', () =>
      network.log.some(
        ({ event, fields }) => event === 'payload indexed' && fields['root'] === root,
      ),
    )
    const before = catalogue.size
    await catalogue.remove(root as never)
    expect(catalogue.size).toBe(before - 1)
    expect(existsSync(join(network.paths.carIndex, `${root}.cidx`))).toBe(false)
  })
})

describe('the denylist', () => {
  const [one = dag.root, two = dag.root] = dag.leaves
  const hidden = createHash('sha256').update(`${dag.list.cid}/`).digest('hex')

  const deny = async (text: string): Promise<void> => {
    await writeFile(network.paths.denylist, text)
    const size = text.split('\n').filter((line) => /^[/b0]/.test(line)).length
    await until('the list is read', async () => {
      await get('/ipfs/bafkqaaa?format=raw')
      const { log } = network
      return log.findLast(({ event }) => event === 'denylist read')?.fields['entries'] === size
    })
  }

  test('is read without a restart and blocks by CID, by hash of the CID and by payload', async () => {
    await deny(
      [
        '# a comment',
        `${one.cid} 410 withdrawn by its publisher`,
        `/ipfs/${two.cid}`,
        `//${hidden} # from a public list`,
        'nonsense',
        '',
      ].join('\n'),
    )
    const gone = await get(`/ipfs/${one.cid}?format=raw`)
    expect([gone.status, codeOf(gone)]).toEqual([410, 'DENIED'])
    expect(Buffer.from(gone.body).toString()).toContain('withdrawn by its publisher')
    expect((await get(`/ipfs/${two.cid}?format=car`)).status).toBe(451)
    expect((await get(`/ipfs/${dag.list.cid}?format=raw`, {}, 'HEAD')).status).toBe(451)
    // A DAG that holds a denied block ends before it.
    const cut = await get(`/ipfs/${dag.file.cid}?format=car`).catch(() => undefined)
    expect(cut?.complete ?? false).toBe(false)
    const root = commitmentOf(dag.car).root
    expect((await running.client.get(root)).status).toBe(200)
    await deny(`${dag.root.cid}\n`)
    expect((await running.client.get(root)).status).toBe(451)
    await deny(`${root}\n`)
    expect((await running.client.get(root)).status).toBe(451)
    await deny('')
    expect((await running.client.get(root)).status).toBe(200)
    expect((await get(`/ipfs/${one.cid}?format=raw`)).status).toBe(200)
  })
})

describe('indexes', () => {
  test('are kept over a restart, and made again when they are damaged or gone', async () => {
    const root = commitmentOf(dag.car).root
    const file = join(network.paths.carIndex, `${root}.cidx`)
    const good = await readFile(file)
    await running.stop()
    const bad = Buffer.from(good)
    bad[4096 + 5] = (bad[4096 + 5] ?? 0) ^ 1
    await writeFile(file, bad)
    await writeFile(join(network.paths.carIndex, 'stray.runs'), 'x')
    running = await network.start()
    expect(await readdir(network.paths.carIndex)).not.toContain('stray.runs')
    const [leaf = dag.root] = dag.leaves
    for (const { cid } of [dag.root, ...dag.leaves]) await get(`/ipfs/${cid}?format=raw`)
    await until('the index is whole again', async () => {
      const answer = await get(`/ipfs/${leaf.cid}?format=raw`)
      return answer.status === 200 && good.equals(await readFile(file))
    })
  })
})
