/** `holdfast doctor`: looks at everything a command would need and says what is wrong. */
import { access, constants, mkdir } from 'node:fs/promises'
import { EXIT_CODES, HoldfastError } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import {
  accountAddress,
  loadNetwork,
  openLedger,
  openSigner,
  tokenOf,
} from '../config/open-network.ts'
import { networkConnector } from '../transfer/network-peer.ts'
import { errorText } from '../ui/error-text.ts'
import { toHoldfastError } from '../ui/json.ts'
import type { CommandResult } from '../ui/output.ts'
import { formatAmount } from '../ui/text.ts'
import { openHasher } from '../unixfs/block-hasher.ts'
import type { Register, Runtime } from './runtime.ts'

interface Check {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly hint?: string
}

export const registerDoctor: Register = (program, run) => {
  program
    .command('doctor')
    .description('check the installation, the network, the key and the providers')
    .action(run(doctor))
}

const doctor = async (runtime: Runtime): Promise<CommandResult> => {
  const checks: Check[] = []
  const check = async (name: string, act: () => Promise<string>): Promise<void> => {
    try {
      checks.push({ check: name, ok: true, detail: await act() })
    } catch (error) {
      const failure = toHoldfastError(error)
      checks.push({ check: name, ok: false, detail: errorText(failure), hint: failure.hint })
    }
  }
  await check('node', async () => process.version)
  await check('hashing', engines)
  await check('home', () => homeDirectory(runtime.settings.home.value))
  await check('network file', async () => (await loadNetwork(runtime.settings)).path)
  await check('ledger', () => ledgerTip(runtime))
  await check('key', () => key(runtime))
  await check('vault', () => vault(runtime))
  await check('providers', () => providers(runtime))
  const ok = checks.every((one) => one.ok)
  const lines = checks.map((one) => {
    const line = `${one.ok ? 'ok  ' : 'FAIL'}  ${one.check.padEnd(12)}  ${one.detail}`
    return one.hint === undefined ? line : `${line}\n      ${''.padEnd(12)}  ${one.hint}`
  })
  return {
    value: { ok, checks },
    text: lines.join('\n'),
    exit: ok ? EXIT_CODES.done : EXIT_CODES.error,
  }
}

const engines = async (): Promise<string> => {
  const prover = await openProver()
  try {
    return `payload tree by ${prover.engine}, blake3 by ${(await openHasher('blake3')).engine}`
  } finally {
    await prover.close()
  }
}

const homeDirectory = async (home: string): Promise<string> => {
  await mkdir(home, { recursive: true, mode: 0o700 })
  await access(home, constants.W_OK)
  return home
}

const ledgerTip = async (runtime: Runtime): Promise<string> => {
  const { network } = await loadNetwork(runtime.settings)
  const ledger = await openLedger(network, runtime)
  try {
    const tip = await ledger.tip({ signal: runtime.signal })
    const age = Math.max(0, Math.round(runtime.clock.now() / 1000 - Number(tip.timestamp)))
    return `chain ${network.chainId}, block ${tip.number}, ${age} s old`
  } finally {
    await ledger.close()
  }
}

const key = async ({ settings, flags }: Runtime): Promise<string> => {
  const { network } = await loadNetwork(settings)
  return (await openSigner(settings, network, flags.passphraseFd)).address
}

const vault = async (runtime: Runtime): Promise<string> => {
  const { network } = await loadNetwork(runtime.settings)
  const account = await accountAddress(runtime.settings, network)
  if (account === undefined) return 'no account is set'
  const token = tokenOf(network)
  const ledger = await openLedger(network, runtime)
  try {
    const balance = await ledger.balance(account, token.address, { signal: runtime.signal })
    return `${formatAmount(balance, token.decimals)} ${token.symbol}`
  } finally {
    await ledger.close()
  }
}

const providers = async (runtime: Runtime): Promise<string> => {
  const { network } = await loadNetwork(runtime.settings)
  const ledger = await openLedger(network, runtime)
  const connect = networkConnector(runtime.clock)
  try {
    const records = await ledger.providers({ signal: runtime.signal })
    const answers = await Promise.all(
      records.map(async (record) => {
        try {
          const peer = await connect(record, { signal: runtime.signal })
          await peer.describe().finally(() => peer.close())
          return undefined
        } catch (error) {
          return `${record.provider} ${errorText(toHoldfastError(error))}`
        }
      }),
    )
    const silent = answers.filter((answer) => answer !== undefined)
    const count = `${records.length - silent.length} of ${records.length} answer`
    const detail = silent.length === 0 ? count : `${count}; ${silent.join('; ')}`
    if (silent.length < records.length || records.length === 0) return detail
    throw new HoldfastError({ code: 'PEER_UNREACHABLE', peer: 'of any kind', reason: detail })
  } finally {
    await ledger.close()
  }
}
