/**
 * `holdfast-relay`: posts the seed of every period of a network from drand's HTTP addresses. Anybody
 * may run it, for a little gas; the embedded network has its own.
 */
import { parseArgs } from 'node:util'
import { HoldfastError } from '@holdfast/protocol'
import { runCommand, type Shell, usageError } from './cli-shell.ts'
import { openEvmLedger } from './evm/open.ts'
import { openKeystore, readPassphrase } from './keys/keystore-file.ts'
import { readNetwork } from './network-file.ts'
import { SeedRelayer } from './relayer/seed-relayer.ts'
import { httpSource } from './relayer/seed-source.ts'
import { systemClock } from './system-adapters.ts'

const USAGE = `Usage: holdfast-relay --network <file> --keystore <file> --passphrase-file <file>

Posts the seeds of a network until it is stopped. The network file names the drand addresses.`

const POLL_MS = 2000

interface Options {
  readonly network: string
  readonly keystore: string
  readonly passphraseFile: string
}

const optionsFrom = (args: readonly string[]): Options | 'help' => {
  let values: Readonly<Record<string, string | boolean | undefined>>
  try {
    values = parseArgs({
      args: [...args],
      options: {
        network: { type: 'string' },
        keystore: { type: 'string' },
        'passphrase-file': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    throw usageError(cause, USAGE)
  }
  const { network, keystore, help } = values
  const passphraseFile = values['passphrase-file']
  if (help === true) return 'help'
  if (
    typeof network !== 'string' ||
    typeof keystore !== 'string' ||
    typeof passphraseFile !== 'string'
  ) {
    throw new HoldfastError({ code: 'USAGE', reason: `an option is missing\n${USAGE}` })
  }
  return { network, keystore, passphraseFile }
}

const relay = async ({ args, logger, signal, print }: Shell): Promise<void> => {
  const options = optionsFrom(args)
  if (options === 'help') {
    print(USAGE)
    return
  }
  const network = await readNetwork(options.network)
  if (network.drandUrls.length === 0) {
    const reason = 'it names no drand addresses (drandUrls)'
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: options.network, reason })
  }
  const signer = await openKeystore(options.keystore, await readPassphrase(options.passphraseFile))
  const clock = systemClock
  const ledger = await openEvmLedger({ network, rpc: network.rpc, signer, clock, logger })
  const { publicKey } = network.drand
  const source = httpSource({ urls: network.drandUrls, publicKey, clock, logger, fetch })
  const relayer = new SeedRelayer({ ledger, source, clock, logger, pollMs: POLL_MS })
  print(`ready ${signer.address}`)
  await relayer.run(signal)
  await ledger.close()
}

await runCommand(relay)
