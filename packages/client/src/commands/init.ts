/**
 * `holdfast init --network <file>`: configuration, a key, and on a devnet money in the vault, so that
 * the next command can be `publish`.
 */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createKeystore, type NetworkFile, type TokenInfo } from '@holdfast/chain'
import { type Address, amount } from '@holdfast/protocol'
import {
  devnetPublisher,
  type KeyFiles,
  keyFiles,
  loadNetwork,
  obtainPassphrase,
  tokenOf,
} from '../config/open-network.ts'
import { configPath, loadSettings, readConfig, writeConfig } from '../config/settings.ts'
import { formatAmount } from '../ui/text.ts'
import { ensureTokens } from './fund.ts'
import type { Register, Runtime } from './runtime.ts'
import { withSigner } from './session.ts'

/** Whole tokens that `init` puts into the vault of a devnet. */
const DEVNET_FUND = 1000n

export const registerInit: Register = (program, run) => {
  program
    .command('init')
    .description('set the network and the key; on a devnet also put money into the vault')
    .action(
      run(async (runtime) => {
        const { path, network } = await loadNetwork(runtime.settings)
        const key = await chooseKey(runtime, network)
        const home = runtime.settings.home.value
        const { watch } = await readConfig(home)
        await writeConfig(home, {
          ...(watch === undefined ? {} : { watch }),
          network: path,
          keystore: key.keystore,
          ...(key.passphraseFile === undefined ? {} : { passphraseFile: key.passphraseFile }),
        })
        const settings = await loadSettings(runtime.flags, process.env)
        const { account, balance, token } = await prepareAccount({ ...runtime, settings })
        const { symbol, decimals } = token
        const funds = { token: symbol, balance, decimals }
        return {
          value: { home, config: configPath(home), network: path, ...key, account, ...funds },
          text: [
            `network  ${path}`,
            `account  ${account}`,
            `vault    ${formatAmount(balance, decimals)} ${symbol}`,
            `config   ${configPath(home)}`,
          ].join('\n'),
        }
      }),
    )
}

/** The key that is set already, the devnet's publisher, or a new one. */
const chooseKey = async (runtime: Runtime, network: NetworkFile): Promise<KeyFiles> => {
  const { settings, flags } = runtime
  const explicit =
    settings.keystore?.source === 'flag' || settings.keystore?.source === 'environment'
  if (network.devnet !== undefined && !explicit) return devnetPublisher(network.devnet.keys)
  const known = keyFiles(settings, network)
  if (known !== undefined) return known
  const keystore = join(settings.home.value, 'keys', 'default.json')
  const passphraseFile = settings.passphraseFile?.value
  if (!existsSync(keystore)) {
    const passphrase = await obtainPassphrase({ keystore, passphraseFile }, flags.passphraseFd)
    await mkdir(dirname(keystore), { recursive: true, mode: 0o700 })
    await createKeystore({ path: keystore, passphrase })
  }
  return { keystore, passphraseFile }
}

const prepareAccount = (
  runtime: Runtime,
): Promise<{ readonly account: Address; readonly balance: bigint; readonly token: TokenInfo }> =>
  withSigner(runtime, async (session) => {
    const { ledger, network, signer, options } = session
    const token = tokenOf(network)
    const wanted = amount(DEVNET_FUND * 10n ** BigInt(token.decimals))
    const balance = await ledger.balance(signer.address, token.address, options)
    if (network.devnet !== undefined && balance < wanted) {
      await ensureTokens(runtime, session, { token, needed: wanted })
      await ledger.deposit(token.address, amount(wanted - balance), options)
    }
    const after = await ledger.balance(signer.address, token.address, options)
    return { account: signer.address, balance: after, token }
  })
