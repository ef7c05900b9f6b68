/**
 * Jest runs compiled tests as native ES modules; nothing is transformed, so what is tested is what
 * is shipped. Slow and fault suites have file names of their own and are asked for by name
 * (tools/test.mjs).
 */
const config = {
  testEnvironment: 'node',
  transform: {},
  testMatch: ['**/dist/**/*.test.js'],
  testPathIgnorePatterns: ['/node_modules/', '\\.slow\\.test\\.js$', '\\.fault\\.test\\.js$'],
  modulePathIgnorePatterns: ['<rootDir>/.nx'],
  testTimeout: 120_000,
}

// biome-ignore lint/style/noDefaultExport: jest reads the default export of its configuration
export default config
