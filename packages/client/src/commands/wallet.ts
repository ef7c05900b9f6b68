/** `holdfast wallet new|import|list|balance`: keys in keystore v3 files; a key never crosses argv. */
import { createReadStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { createKeystore, keystoreAddress } from '@holdfast/chain'
import { fromHex, HoldfastError } from '@holdfast/protocol'
import { accountAddress, keyFiles, loadNetwork, obtainPassphrase } from '../config/open-network.ts'
import { readConfig, writeConfig } from '../config/settings.ts'
import { errorMessage } from '../system-error.ts'
import type { CommandResult } from '../ui/output.ts'
import { askSecret } from '../ui/prompt.ts'
import { formatAmount, formatTable } from '../ui/text.ts'
import type { Register, Runtime } from './runtime.ts'
import { withNetwork } from './session.ts'

interface CreateFlags {
  readonly name: string
  readonly keyFile?: string
  readonly use?: boolean
}

const DEFAULT_NAME = 'default'

export const registerWallet: Register = (program, run) => {
  const wallet = program.command('wallet').description('keys and balances')
  wallet
    .command('new')
    .description('make a key; the passphrase comes from --passphrase-file, --passphrase-fd or you')
    .option('--name <name>', 'file name in the home directory', DEFAULT_NAME)
    .option('--use', 'make it the key that commands use')
    .action(run<CreateFlags>((runtime, flags) => create(runtime, flags, undefined)))
  wallet
    .command('import')
    .description('import a private key from a file ("-" for stdin), never from the command line')
    .option('--key-file <file>', 'a file with 64 hex digits; asked for when not given')
    .option('--name <name>', 'file name in the home directory', DEFAULT_NAME)
    .option('--use', 'make it the key that commands use')
    .action(
      run<CreateFlags>(async (runtime, flags) =>
        create(runtime, flags, await readKey(flags.keyFile)),
      ),
    )
  wallet.command('list').description('keys in the home directory').action(run(list))
  wallet
    .command('balance')
    .description("the account's money, in the vault and outside it")
    .action(run(balance))
}

const keysFolder = (runtime: Runtime): string => join(runtime.settings.home.value, 'keys')

const create = async (
  runtime: Runtime,
  flags: CreateFlags,
  privateKey: Uint8Array | undefined,
): Promise<CommandResult> => {
  if (!/^[\w.-]{1,64}$/.test(flags.name)) {
    const reason = `--name ${flags.name} may hold letters, digits, dots, dashes and underscores`
    throw new HoldfastError({ code: 'USAGE', reason })
  }
  const { settings } = runtime
  const keystore = join(keysFolder(runtime), `${flags.name}.json`)
  const passphraseFile = settings.passphraseFile?.value
  const passphrase = await obtainPassphrase(
    { keystore, passphraseFile },
    runtime.flags.passphraseFd,
  )
  await mkdir(keysFolder(runtime), { recursive: true, mode: 0o700 })
  const signer = await createKeystore({
    path: keystore,
    passphrase,
    ...(privateKey === undefined ? {} : { privateKey }),
  })
  const home = settings.home.value
  const config = await readConfig(home)
  const used = flags.use === true || config.keystore === undefined
  if (used) {
    const { passphraseFile: _, ...rest } = config
    await writeConfig(home, {
      ...rest,
      keystore,
      ...(passphraseFile === undefined ? {} : { passphraseFile }),
    })
  }
  return {
    value: { account: signer.address, keystore, used },
    text: `${signer.address}  ${keystore}${used ? '  (in use)' : ''}`,
  }
}

/** @throws HoldfastError `INPUT_UNREADABLE`; the message never holds the key. */
const readKey = async (file: string | undefined): Promise<Uint8Array> => {
  const text = await keyText(file)
  const digits = text.trim().replace(/^0x/i, '')
  if (!/^[0-9a-f]{64}$/i.test(digits)) {
    const reason = 'it does not hold a private key of 64 hex digits'
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path: file ?? 'the answer', reason })
  }
  return fromHex(`0x${digits}`)
}

/** A key is 66 characters; anything much longer is the wrong file. */
const KEY_CHARACTERS_MAX = 1024

const keyText = async (file: string | undefined): Promise<string> => {
  if (file === undefined) return askSecret('the private key', '--key-file')
  const stream = file === '-' ? process.stdin : createReadStream(resolve(file))
  let text = ''
  try {
    for await (const chunk of stream) {
      text += String(chunk)
      if (text.length > KEY_CHARACTERS_MAX) break
    }
  } catch (cause) {
    const reason = errorMessage(cause)
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path: file, reason }, { cause })
  }
  return text
}

const list = async (runtime: Runtime): Promise<CommandResult> => {
  const folder = keysFolder(runtime)
  const names = await readdir(folder).catch(() => [])
  const used = runtime.settings.keystore?.value
  const keys = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map(async (name) => {
        const keystore = join(folder, name)
        const account = await keystoreAddress(keystore)
        return { name: basename(name, '.json'), account, keystore, used: keystore === used }
      }),
  )
  const rows = keys.map(({ name, account, used }) => [name, account, used ? 'in use' : ''])
  const text = keys.length === 0 ? '' : formatTable(['name', 'account', ''], rows)
  return { value: { keys }, text }
}

const balance = async (runtime: Runtime): Promise<CommandResult> => {
  const { network } = await loadNetwork(runtime.settings)
  const account = await accountAddress(runtime.settings, network)
  const files = keyFiles(runtime.settings, network)
  if (account === undefined || files === undefined) {
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: 'keystore', reason: 'no key is set' })
  }
  return withNetwork(runtime, async ({ ledger, options }) => {
    const gas = await ledger.gasBalance(account, options)
    const tokens = await Promise.all(
      network.tokens.map(async ({ address, symbol, decimals }) => ({
        token: symbol,
        address,
        decimals,
        vault: await ledger.balance(account, address, options),
        own: await ledger.tokenBalance(account, address, options),
      })),
    )
    const rows = tokens.map(({ token, decimals, vault, own }) => [
      token,
      formatAmount(vault, decimals),
      formatAmount(own, decimals),
    ])
    return {
      value: { account, keystore: files.keystore, gas, tokens },
      text: `${account}\n${formatTable(['token', 'in the vault', 'outside'], rows)}`,
    }
  })
}
