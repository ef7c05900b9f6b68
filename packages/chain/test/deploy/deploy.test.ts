/**
 * Deployment from the command line, on chains that the devnet code did not start: the network it
 * makes is joined and used, and unsuitable chains, keys and files are refused before anything is sent.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { amount, EXIT_CODES, fromHex, silentLogger } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createContract } from '../../src/deploy/deploy.ts'
import { openChain } from '../../src/evm/client.ts'
import { openEvmLedger } from '../../src/evm/open.ts'
import { testStablecoinBytecode } from '../../src/generated/contracts.ts'
import { LIGHT_COST } from '../../src/keys/keystore.ts'
import { createKeystore } from '../../src/keys/keystore-file.ts'
import { signerFromPrivateKey } from '../../src/keys/signer.ts'
import { readNetwork } from '../../src/network-file.ts'
import { systemClock } from '../../src/system-adapters.ts'
import {
  type ForeignChain,
  runProgram,
  startForeignChain,
  withFolder,
} from '../support/programs.ts'
import { codeOf } from '../support/scenario.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

/** The first account of every anvil; its key is public knowledge and worth nothing. */
const RICH = fromHex('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
/** drand quicknet, the real one. */
const QUICKNET = {
  genesis: '1692803367',
  period: '3',
  publicKey:
    '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
  urls: ['https://drand.example/quicknet'],
}
const PROGRAM = fileURLToPath(new URL('../../../bin/holdfast-deploy.mjs', import.meta.url))

const signer = signerFromPrivateKey(RICH)

const putToken = async (url: string): Promise<string> => {
  const stop = new AbortController()
  const chain = await openChain({
    ...{ rpc: [url], clock: systemClock, logger: silentLogger, stop: stop.signal },
  })
  const token = await createContract(chain, signer, testStablecoinBytecode)
  stop.abort()
  return token
}

interface Prepared {
  readonly config: string
  readonly out: string
}

/** Writes keystore, passphrase and configuration into the folder. */
const prepare = async (
  folder: string,
  token: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<Prepared> => {
  const keystore = join(folder, 'deployer.json')
  await createKeystore(
    { path: keystore, passphrase: 'open', privateKey: RICH },
    { cost: LIGHT_COST },
  )
  await writeFile(join(folder, 'deployer.pass'), 'open\n')
  const config = {
    keystore: 'deployer.json',
    passphraseFile: 'deployer.pass',
    tokens: [token],
    feeAccount: signer.address,
    minimumStake: '10000000',
    period: '86400',
    window: '14400',
    seedDelay: '60',
    disputeBond: '1000000',
    disputeSlash: '1000000',
    directChallenges: 10,
    feeBps: 500,
    drand: QUICKNET,
    ...changes,
  }
  const path = join(folder, 'deploy.json')
  await writeFile(path, JSON.stringify(config))
  return { config: path, out: join(folder, 'network.json') }
}

const deploy = (url: string, { config, out }: Prepared) =>
  runProgram(PROGRAM, ['--rpc', url, '--config', config, '--out', out])

interface Target {
  readonly url: () => string
  readonly token: () => string
}

const goodDeployments = ({ url, token }: Target): void => {
  test('makes a network that can be joined and used', () =>
    withFolder(async (folder) => {
      const prepared = await prepare(folder, token())
      const { code, stdout } = await deploy(url(), prepared)
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${prepared.out}\n` })
      const network = await readNetwork(prepared.out)
      expect(network).toMatchObject({
        ...{ period: 86_400n, window: 14_400n, seedDelay: 60n, directChallenges: 10, feeBps: 500 },
        ...{ rpc: [url()], drandUrls: QUICKNET.urls, chainId: 31337n },
        drand: { genesis: 1_692_803_367n, period: 3n, publicKey: `0x${QUICKNET.publicKey}` },
        tokens: [{ address: token(), symbol: 'tUSD', decimals: 6 }],
      })
      expect(await readFile(prepared.out, 'utf8')).not.toContain('devnet')
      const ledger = await openEvmLedger({
        ...{ network, rpc: network.rpc, signer, clock: systemClock, logger: silentLogger },
      })
      expect(await ledger.providers()).toEqual([])
      expect(
        await codeOf(ledger.deposit(network.tokens[0]?.address ?? signer.address, amount(1n))),
      ).toBe('FUNDS_INSUFFICIENT')
      await ledger.close()
      // A second run does not overwrite what the first one made.
      const again = await deploy(url(), prepared)
      expect(again.code).toBe(EXIT_CODES.error)
      expect(again.stderr).toContain('already there')
    }))
}

const badDeployments = ({ url, token }: Target): void => {
  test('refuses a configuration that cannot be, and names the field', () =>
    withFolder(async (folder) => {
      const { code, stderr } = await deploy(
        url(),
        await prepare(folder, token(), { feeBps: 10_000 }),
      )
      expect(code).toBe(EXIT_CODES.usage)
      expect(stderr).toContain('feeBps')
    }))

  test('refuses tokens that are none, and says which', () =>
    withFolder(async (folder) => {
      const nobody = `0x${'99'.repeat(20)}`
      const { code, stderr } = await deploy(url(), await prepare(folder, nobody))
      expect(code).toBe(EXIT_CODES.error)
      expect(stderr).toContain(nobody)
    }))

  test('refuses a wrong passphrase, and endpoints where nobody is', () =>
    withFolder(async (folder) => {
      const prepared = await prepare(folder, token())
      const nowhere = await deploy('http://127.0.0.1:9', prepared)
      expect(nowhere.code).toBe(EXIT_CODES.tryAgain)
      await writeFile(join(folder, 'deployer.pass'), 'shut\n')
      const { code, stderr } = await deploy(url(), prepared)
      expect({ code, told: stderr.includes('passphrase wrong') }).toEqual({
        ...{ code: EXIT_CODES.error, told: true },
      })
    }))

  test('wants its options, and explains them', async () => {
    const missing = await runProgram(PROGRAM, [])
    expect(missing.code).toBe(EXIT_CODES.usage)
    expect(missing.stderr).toContain('--config')
    const secret = await runProgram(PROGRAM, ['--private-key', '0x00'])
    expect(secret.code).toBe(EXIT_CODES.usage)
    const help = await runProgram(PROGRAM, ['--help'])
    expect({ code: help.code, usage: help.stdout.startsWith('Usage:') }).toEqual({
      ...{ code: 0, usage: true },
    })
  })
}

describeWithAnvil('holdfast-deploy', () => {
  let chain: ForeignChain | undefined
  let token = ''
  beforeAll(async () => {
    chain = await startForeignChain()
    token = await putToken(chain.url)
  })
  afterAll(() => chain?.stop())

  const target = { url: () => chain?.url ?? '', token: () => token }
  describe('with everything in place', () => goodDeployments(target))
  describe('with something wrong', () => badDeployments(target))
})

describeWithAnvil('a chain without EIP-2537', () => {
  test('is refused before anything is sent', async () => {
    const chain = await startForeignChain(['--hardfork', 'cancun'])
    try {
      const token = await putToken(chain.url)
      await withFolder(async (folder) => {
        const { code, stderr } = await deploy(chain.url, await prepare(folder, token))
        expect(code).toBe(EXIT_CODES.error)
        expect(stderr).toContain('EIP-2537')
      })
    } finally {
      await chain.stop()
    }
  })
})

describe('the network file of a deployment', () => {
  test('is not asked of a chain when the configuration is not even there', () =>
    withFolder(async (folder) => {
      const prepared = { config: join(folder, 'none.json'), out: join(folder, 'network.json') }
      const { code, stderr } = await deploy('http://127.0.0.1:9', prepared)
      expect({ code, told: stderr.includes('none.json') }).toEqual({
        ...{ code: EXIT_CODES.error, told: true },
      })
    }))
})
