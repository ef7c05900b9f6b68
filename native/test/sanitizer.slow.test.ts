/**
 * The C code under ASan and UBSan, without Node, and the ARMv8 kernel over emulated instructions.
 * Skipped, and says so, where no compiler with sanitizers answers. Also rebuilds the WASM and
 * compares it with what is committed.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from '@jest/globals'

/** From `native/dist/test` to `native`. */
const NATIVE = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'holdfast-sanitizer-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
const FLAGS = ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', ...SANITIZE]

const compiler = [process.env['CC'], 'cc', 'gcc', 'clang'].find((command) => {
  if (!command) return false
  const probe = ['-x', 'c', '-', ...SANITIZE, '-o', join(folder, 'probe')]
  return spawnSync(command, probe, { input: 'int main(void){return 0;}' }).status === 0
})

const sources = (): readonly string[] =>
  readdirSync(join(NATIVE, 'csrc'))
    .filter((name) => name.endsWith('.c') && name !== 'addon.c' && name !== 'armv8.c')
    .map((name) => join(NATIVE, 'csrc', name))

const run = (command: string, args: readonly string[]): string => {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  const output = `${result.stdout}${result.stderr}`
  if (result.status !== 0) throw new Error(`${command} ended with ${result.status}\n${output}`)
  return output
}

const withCompiler = compiler === undefined ? test.skip : test

withCompiler('every kernel is clean and agrees with the portable one', () => {
  const program = join(folder, 'harness')
  const main = join(NATIVE, 'test', 'harness', 'main.c')
  run(compiler ?? '', [...FLAGS, '-o', program, ...sources(), main])
  expect(run(program, [])).toContain(' 0 differences')
})

withCompiler('the ARMv8 kernel agrees over emulated instructions', () => {
  const program = join(folder, 'emulated')
  const object = join(folder, 'armv8.o')
  const harness = join(NATIVE, 'test', 'harness')
  const emulated = ['-DHF_EMULATED', '-DHF_ARM', `-I${harness}`]
  run(compiler ?? '', [...FLAGS, ...emulated, '-c', '-o', object, join(NATIVE, 'csrc', 'armv8.c')])
  const main = [object, join(harness, 'main.c')]
  run(compiler ?? '', [...FLAGS, '-DHF_EMULATED', '-o', program, ...sources(), ...main])
  expect(run(program, [])).toContain(' 0 differences')
})

test('the committed WASM is what its source gives', () => {
  expect(run(process.execPath, [join(NATIVE, 'build-wasm.mjs'), '--check'])).not.toContain('is not')
})
