/**
 * The decisions of the repository's commands: is Node new enough, is everything installed, what is
 * missing in the lockfile, what closes a test run. What they do to the disk is shown by using them.
 */
import { describe, expect, test } from '@jest/globals'
import { matchesLock } from '../lib/installed.mjs'
import { atLeast, requireNode } from '../lib/node-version.mjs'
import { duration, ToolError } from '../lib/say.mjs'
import { missingEntries, platformOf, withEntries } from '../lockfile.mjs'
import { closingLine, foundNothing, parseArguments } from '../test.mjs'

describe('Node', () => {
  test.each([
    ['20.19.0', '20.19.0', true],
    ['20.20.2', '20.19.0', true],
    ['22.0.0', '20.19.0', true],
    ['20.18.9', '20.19.0', false],
    ['18.99.99', '20.19.0', false],
  ])('%s against %s: %s', (version, bound, expected) => {
    expect(atLeast(version, bound)).toBe(expected)
  })

  test('an old one is refused in words that say what to do', () => {
    expect(() => requireNode('18.0.0')).toThrow(ToolError)
    expect(() => requireNode('18.0.0')).toThrow(
      /needs Node 20\.\d+\.0 or newer; this is Node 18\.0\.0/,
    )
  })
})

describe('installation', () => {
  const lock = {
    packages: {
      '': {},
      'packages/a': { version: '0.1.0' },
      'node_modules/b': { version: '1.0.0' },
      'node_modules/c-win32-x64': { version: '1.0.0', optional: true },
    },
  }

  test('what npm recorded equals the lockfile, other platforms aside', () => {
    expect(matchesLock(lock, { packages: { 'node_modules/b': { version: '1.0.0' } } })).toBe(true)
  })

  test('another version, a missing package or no record do not', () => {
    expect(matchesLock(lock, { packages: { 'node_modules/b': { version: '1.0.1' } } })).toBe(false)
    expect(matchesLock(lock, { packages: {} })).toBe(false)
    expect(matchesLock(lock, {})).toBe(false)
  })
})

describe('lockfile', () => {
  test.each([
    ['@biomejs/cli-linux-arm64-musl', { os: ['linux'], cpu: ['arm64'], libc: ['musl'] }],
    [
      '@unrs/resolver-binding-linux-arm-gnueabihf',
      { os: ['linux'], cpu: ['arm'], libc: ['glibc'] },
    ],
    ['@bufbuild/buf-linux-armv7', { os: ['linux'], cpu: ['arm'] }],
    ['@unrs/resolver-binding-win32-ia32-msvc', { os: ['win32'], cpu: ['ia32'] }],
    ['left-pad', undefined],
  ])('%s states its platform', (name, platform) => {
    expect(platformOf(name)).toEqual(platform)
  })

  const lockWith = (optionalDependencies, more = {}) => ({
    packages: { 'node_modules/a': { version: '1.0.0', dev: true, optionalDependencies }, ...more },
  })

  test('an optional package without an entry is missing; it is added in order', () => {
    const lock = lockWith({ 'a-darwin-x64': '1.0.0' }, { 'node_modules/b': {} })
    const missing = missingEntries(lock)
    expect(missing).toEqual([
      [
        'node_modules/a-darwin-x64',
        { version: '1.0.0', cpu: ['x64'], dev: true, optional: true, os: ['darwin'] },
      ],
    ])
    expect(Object.keys(withEntries(lock, missing).packages)).toEqual([
      'node_modules/a',
      'node_modules/a-darwin-x64',
      'node_modules/b',
    ])
  })

  test('one with an entry, beside its parent or below it, is not', () => {
    const wants = { 'a-darwin-x64': '1.0.0' }
    expect(missingEntries(lockWith(wants, { 'node_modules/a-darwin-x64': {} }))).toEqual([])
    const below = { 'node_modules/a/node_modules/a-darwin-x64': {} }
    expect(missingEntries(lockWith(wants, below))).toEqual([])
  })

  test('one whose name states no platform is refused', () => {
    expect(() => missingEntries(lockWith({ fsevents: '1.0.0' }))).toThrow(/fsevents@1\.0\.0/)
  })
})

describe('test runs', () => {
  const result = {
    numPassedTests: 5,
    numFailedTests: 1,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 0,
    numTodoTests: 0,
  }

  test('close with a count', () => {
    expect(closingLine(result)).toBe('5 passed, 1 failed')
    expect(closingLine({ ...result, numPendingTests: 2 })).toBe('5 passed, 1 failed, 2 skipped')
  })

  test('count a file that cannot be loaded as a failure', () => {
    const broken = { ...result, numFailedTests: 0, numRuntimeErrorTestSuites: 1 }
    expect(closingLine(broken)).toBe('5 passed, 1 failed')
  })

  test('that do not exist are no success for whoever asked for them', () => {
    const nothing = { ...result, numTotalTests: 0, numRuntimeErrorTestSuites: 0 }
    expect(foundNothing(nothing)).toBe(true)
    expect(foundNothing({ ...nothing, numTotalTests: 1 })).toBe(false)
    expect(foundNothing({ ...nothing, numRuntimeErrorTestSuites: 1 })).toBe(false)
  })

  test('take their suite and leave the rest to jest', () => {
    expect(parseArguments(['merkle', '-t', 'x'])).toEqual({
      suite: 'fast',
      rest: ['merkle', '-t', 'x'],
    })
    expect(parseArguments(['a', '--suite', 'slow', 'b'])).toEqual({
      suite: 'slow',
      rest: ['a', 'b'],
    })
    expect(parseArguments(['--suite=faults'])).toEqual({ suite: 'faults', rest: [] })
    expect(() => parseArguments(['--suite', 'all'])).toThrow(/fast, slow, faults, soak/)
    expect(() => parseArguments(['--suite'])).toThrow(ToolError)
  })

  test('durations read like speech', () => {
    expect(duration(1240)).toBe('1.2 s')
    expect(duration(184_000)).toBe('3 min 4 s')
  })
})
