/** Runs the conformance suite over every engine and processor path of this machine. */
import { expect, test } from '@jest/globals'
import { EngineUnavailable, listEngines, openEngine } from '../src/open-engine.ts'
import { engineSuite } from './engine-suite.ts'

const { engines, nativeMissing } = listEngines()

for (const engine of engines) engineSuite(engine)

test('WASM is always there, and native code whenever it was compiled', () => {
  expect(engines.map(({ name }) => name)).toContain('wasm')
  const native = engines.filter(({ name }) => name.startsWith('native-'))
  expect(native.length > 0).toBe(nativeMissing === undefined)
  if (native.length > 0) expect(engines.at(-2)?.name).toBe('native-portable')
})

test('a name forces an engine, and one that is not here is an error', () => {
  expect(openEngine('wasm').name).toBe('wasm')
  expect(openEngine().name).toBe(engines[0]?.name)
  if (nativeMissing === undefined) expect(openEngine('native').name).toBe(engines[0]?.name)
  expect(() => openEngine('native-quantum')).toThrow(EngineUnavailable)
  expect(() => openEngine('was')).toThrow(/there are .*wasm/)
})
