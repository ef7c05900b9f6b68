/**
 * What scripts rely on: one JSON value on stdout, everything else on stderr, the exit codes, the order
 * of settings, no secret on the command line. All offline, all with the real program.
 */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { manyFiles } from '../random-tree.ts'
import { temporary } from '../support.ts'
import { holdfast, type Ran } from './run.ts'

let home: string
let tree: string

beforeAll(async () => {
  home = join(await temporary(), 'home')
  tree = join(await temporary(), 'tree')
  await mkdir(tree)
  await writeFile(join(tree, 'hello world'), 'hello world')
})

const errorOf = ({ stdout }: Ran): { code: string; message: string; hint: string } =>
  JSON.parse(stdout).error

test('a result is one JSON value, and nothing else is on either stream', async () => {
  const ran = await holdfast(['cid', tree, '--json'], { home })
  expect(ran.exit).toBe(0)
  expect(ran.stderr).toBe('')
  expect(ran.stdout.trimEnd().split('\n')).toHaveLength(1)
  expect(JSON.parse(ran.stdout)).toMatchObject({ kind: 'directory', files: 1, bytes: 11 })
})

test('the known vector for people', async () => {
  const ran = await holdfast(['cid', join(tree, 'hello world')], { home })
  expect(ran.stdout).toBe('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e\n')
})

describe('exit codes', () => {
  const cases: readonly (readonly [string, readonly string[], number, string])[] = [
    ['unknown command', ['nonsense'], 2, 'USAGE'],
    ['missing argument', ['cid'], 2, 'USAGE'],
    ['unknown flag', ['cid', '.', '--nonsense'], 2, 'USAGE'],
    ['unknown profile', ['cid', '.', '--profile', 'x'], 2, 'USAGE'],
    ['unknown hash', ['cid', '.', '--hash', 'md5'], 2, 'USAGE'],
    ['bad progress mode', ['cid', '.', '--progress', 'x'], 2, 'USAGE'],
    ['missing path', ['cid', 'not-there'], 3, 'FILE_NOT_FOUND'],
    ['missing file to commit', ['commit', 'not-there'], 3, 'FILE_NOT_FOUND'],
    ['directory to commit', ['commit', '.'], 1, 'INPUT_UNREADABLE'],
    ['no network', ['providers'], 2, 'CONFIG_INVALID'],
    ['terminating without a network', ['terminate', 'x'], 2, 'CONFIG_INVALID'],
    ['watching without a network', ['watch'], 2, 'CONFIG_INVALID'],
    ['listing grants without a network', ['grant', 'list'], 2, 'CONFIG_INVALID'],
    ['revoking without a network', ['grant', 'revoke', '--all'], 2, 'CONFIG_INVALID'],
    ['checking without a network', ['status', 'x'], 2, 'CONFIG_INVALID'],
    ['bad dataset', ['ls', 'not-a-cid', '--network', 'none'], 2, 'ID_INVALID'],
    ['missing network file', ['providers', '--network', 'none'], 1, 'INPUT_UNREADABLE'],
    ['no devnet to stop', ['devnet', 'down'], 9, 'NOTHING_TO_DO'],
    ['no devnet to look at', ['devnet', 'status'], 5, 'LEDGER_UNREACHABLE'],
    ['too many providers', ['devnet', 'up', '--providers', '10'], 2, 'USAGE'],
  ]

  test.each(cases)('%s', async (_name, args, exit, code) => {
    const ran = await holdfast([...args, '--json'], { home, cwd: tree })
    expect([ran.exit, errorOf(ran).code]).toEqual([exit, code])
    expect(errorOf(ran).message).not.toBe('')
    expect(errorOf(ran).hint).not.toBe('')
  })

  test('for people an error is on stderr, with what to do next, and stdout is empty', async () => {
    const ran = await holdfast(['cid', 'not-there'], { home, cwd: tree })
    expect([ran.exit, ran.stdout]).toEqual([3, ''])
    expect(ran.stderr).toMatch(/^error: not-there does not exist\nnext: +\S/)
  })
})

test('help and version end well', async () => {
  const help = await holdfast(['--help'], { home })
  expect(help.exit).toBe(0)
  expect(help.stdout).toContain('Exit codes')
  expect((await holdfast(['--version'], { home })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('the help of watch names both budgets, their defaults, and where they may stand', async () => {
  const { exit, stdout } = await holdfast(['watch', '--help'], { home })
  expect(exit).toBe(0)
  for (const text of [
    '--gas-budget',
    '--bond-budget',
    '0.05',
    '10',
    'config.json',
    '--no-dispute',
  ]) {
    expect(stdout).toContain(text)
  }
})

test('the help of grant says what a grant is and how one from elsewhere is named', async () => {
  const { exit, stdout } = await holdfast(['grant', 'revoke', '--help'], { home })
  expect(exit).toBe(0)
  for (const text of ['[key]', '--all', '--nonce', '--expiry', 'run again']) {
    expect(stdout).toContain(text)
  }
})

test('the nonce of a grant is no secret, though it looks like a key', async () => {
  const nonce = ['--nonce', `0x${'5a'.repeat(32)}`, '--expiry', '1']
  const ran = await holdfast(['grant', 'revoke', ...nonce, '--json'], { home })
  expect(errorOf(ran).code).toBe('CONFIG_INVALID')
})

test('the id of a deal is no secret, though it looks like a key', async () => {
  const deal = `0x${'5a'.repeat(32)}`
  for (const args of [['--deal', deal], [`--deal=${deal}`]]) {
    const ran = await holdfast(['repair', 'x', ...args, '--json'], { home })
    expect(errorOf(ran).code).toBe('CONFIG_INVALID')
  }
})

describe('secrets', () => {
  const key = '4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318'

  test.each([
    [['wallet', 'import', key]],
    [['wallet', 'import', `0x${key}`]],
    [['wallet', 'import', '--private-key', key]],
    [[`--key=${key}`, 'providers']],
    [['providers', '--mnemonic', 'test test test']],
    [['fund', '1', '--passphrase', 'secret']],
    [['repair', key, '--deal', `0x${'1'.repeat(64)}`]],
  ])('%j is refused and not repeated', async (args) => {
    const ran = await holdfast([...args, '--json'], { home })
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).code).toBe('USAGE')
    expect(`${ran.stdout}${ran.stderr}`).not.toContain(key.slice(0, 16))
  })

  test('a key comes from stdin, a passphrase from a file; neither is stored in the open', async () => {
    const own = join(await temporary(), 'home')
    const pass = join(await temporary(), 'pass')
    await writeFile(pass, 'correct horse\n')
    const args = ['wallet', 'import', '--key-file', '-', '--passphrase-file', pass, '--json']
    const ran = await holdfast(args, { home: own, input: `${key}\n` })
    expect(ran.exit).toBe(0)
    const { account, keystore } = JSON.parse(ran.stdout)
    expect(account).toBe('0x2c7536e3605d9c16a7a3d7b1898e529396a65c23')
    expect((await stat(keystore)).mode & 0o777).toBe(0o600)
    for (const name of await readdir(own, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue
      const text = await readFile(join(name.parentPath, name.name), 'utf8')
      expect(text).not.toContain(key)
      expect(text).not.toContain('correct horse')
    }
    const listed = await holdfast(['wallet', 'list', '--json'], { home: own })
    expect(JSON.parse(listed.stdout).keys).toMatchObject([{ account, used: true }])
    const again = await holdfast(args, { home: own, input: key })
    expect(errorOf(again).code).toBe('KEYSTORE_INVALID')
  })
})

test('flag over environment over file over default', async () => {
  const own = join(await temporary(), 'home')
  await mkdir(own)
  const set = (value: string) => JSON.stringify({ format: 'holdfast-config/1', network: value })
  await writeFile(join(own, 'config.json'), set('/from-file'))
  const named = async (args: readonly string[], env = {}): Promise<string> =>
    errorOf(await holdfast(['providers', ...args, '--json'], { home: own, env })).message
  expect(await named([])).toContain('/from-file')
  expect(await named([], { HOLDFAST_NETWORK: '/from-environment' })).toContain('/from-environment')
  const both = await named(['--network', '/from-flag'], { HOLDFAST_NETWORK: '/from-environment' })
  expect(both).toContain('/from-flag')
  await writeFile(join(own, 'config.json'), '{"format":"something else"}')
  expect(await named([])).toContain('config.json')
})

test('progress as JSON lines goes to stderr, results to stdout', async () => {
  const ran = await holdfast(['cid', tree, '--progress', 'jsonl', '--json'], { home })
  expect(JSON.parse(ran.stdout).files).toBe(1)
  const events = ran.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events.at(-1)).toMatchObject({ event: 'end', phase: 'hashing', done: 11 })
})

test('pack, commit of a file and of stdin agree', async () => {
  const car = join(await temporary(), 'payload.car')
  const packed = await holdfast(['pack', tree, '--out', car, '--json'], { home })
  const file = await holdfast(['commit', car, '--json'], { home })
  const stdin = await holdfast(['commit', '-', '--json'], { home, input: await readFile(car) })
  expect(JSON.parse(file.stdout)).toEqual(JSON.parse(stdin.stdout))
  const { length } = JSON.parse(packed.stdout)
  expect(JSON.parse(file.stdout)).toMatchObject({
    scheme: 'sha256-1k',
    root: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    length,
    leaves: Math.ceil(length / 1024),
  })
})

test('5,000 small files stay under 400 MiB and a few seconds', async () => {
  const many = await manyFiles(5000)
  const probe = join(await temporary(), 'probe.mjs')
  await writeFile(
    probe,
    `process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n'))`,
  )
  const env = { NODE_OPTIONS: `--import=${probe}` }
  const car = join(await temporary(), 'many.car')
  const ran = await holdfast(['pack', many, '--out', car, '--json'], { home, env })
  expect(JSON.parse(ran.stdout).files).toBe(5000)
  const peak = Number(/peak (\d+)/.exec(ran.stderr)?.[1])
  expect(peak).toBeGreaterThan(0)
  expect(peak).toBeLessThan(400 * 1024)
})
