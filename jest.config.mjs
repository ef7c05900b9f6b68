/**
 * Jest runs compiled tests as native ES modules; nothing is transformed, so what is tested is what
 * is shipped. Slow, fault and soak suites have file names of their own and are asked for by name
 * (tools/test.mjs). The tools' own tests are plain modules and run as they are.
 */
const config = {
  testEnvironment: 'node',
  transform: {},
  roots: ['native', 'packages', 'bench', 'tests', 'tools'].map((name) => `<rootDir>/${name}`),
  testMatch: ['**/dist/**/*.test.js', '<rootDir>/tools/test/**/*.test.mjs'],
  testPathIgnorePatterns: ['/node_modules/', '\\.(?:slow|fault|soak)\\.test\\.js$'],
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'json', 'node'],
  modulePathIgnorePatterns: ['<rootDir>/.nx', '/fixtures/'],
  watchman: false,
  // Ends what hangs; it is no judgement of speed, because other work slows a test down.
  testTimeout: 300_000,
}

export default config
