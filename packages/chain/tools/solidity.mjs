/**
 * Compiles the contracts with the npm Solidity compiler: no forge, no network. One place for the
 * compiler settings of everything that is deployed; foundry.toml repeats them and a test compares.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)

/** The folder of the chain package. */
export const CHAIN = dirname(dirname(fileURLToPath(import.meta.url)))
/** The folder of the Solidity project. */
export const CONTRACTS = join(CHAIN, 'contracts')

/** What is deployed: source below `contracts/src` by contract name. */
export const DEPLOYED = {
  DrandBeacon: 'DrandBeacon.sol',
  Vault: 'Vault.sol',
  ProviderRegistry: 'ProviderRegistry.sol',
  ProofLedger: 'ProofLedger.sol',
  Disputes: 'Disputes.sol',
  DealMarket: 'DealMarket.sol',
  TestStablecoin: 'devnet/TestStablecoin.sol',
}

/** EIP-170. */
export const CODE_BYTES_MAX = 24_576

export const SETTINGS = {
  evmVersion: 'prague',
  viaIR: true,
  optimizer: { enabled: true, runs: 100_000 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
}

const IMPORT = /^import [^"]*"(\.[^"]+)";/gm

/** Every source of ours that a deployed contract is made of, by its name in the compilation. */
export const readSources = () => {
  const sources = {}
  const visit = (name) => {
    if (sources[name] !== undefined) return
    const content = readFileSync(join(CONTRACTS, name), 'utf8')
    sources[name] = { content }
    for (const [, path] of content.matchAll(IMPORT)) visit(posix.join(posix.dirname(name), path))
  }
  for (const file of Object.values(DEPLOYED)) visit(`src/${file}`)
  return sources
}

const openImport = (path) => {
  try {
    return { contents: readFileSync(require.resolve(path), 'utf8') }
  } catch (error) {
    return { error: `${path}: ${error.message}` }
  }
}

/**
 * Compiles what is deployed and returns `{ [name]: { abi, bytecode, runtimeBytes, storageLayout } }`.
 * Warnings of our sources are errors.
 */
export const compile = () => {
  const solc = require('solc')
  const wanted = ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'storageLayout']
  const outputSelection = Object.fromEntries(
    Object.entries(DEPLOYED).map(([name, file]) => [`src/${file}`, { [name]: wanted }]),
  )
  const input = {
    language: 'Solidity',
    sources: readSources(),
    settings: { ...SETTINGS, outputSelection },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: openImport }))
  // Errors anywhere and warnings of our own; OpenZeppelin's warnings are OpenZeppelin's.
  const problems = (output.errors ?? []).filter(
    ({ severity, sourceLocation }) =>
      severity === 'error' || (severity === 'warning' && !sourceLocation?.file.startsWith('@')),
  )
  if (problems.length > 0) {
    throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'))
  }
  return Object.fromEntries(
    Object.entries(DEPLOYED).map(([name, file]) => {
      const { abi, evm, storageLayout } = output.contracts[`src/${file}`][name]
      const runtimeBytes = evm.deployedBytecode.object.length / 2
      if (runtimeBytes > CODE_BYTES_MAX) {
        throw new Error(`${name} has ${runtimeBytes} bytes; EIP-170 allows ${CODE_BYTES_MAX}`)
      }
      return [name, { abi, bytecode: `0x${evm.bytecode.object}`, runtimeBytes, storageLayout }]
    }),
  )
}
