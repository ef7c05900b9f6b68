/** `holdfast-deploy`: puts a network's contracts on any EVM chain and writes its network file. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { HoldfastError } from '@holdfast/protocol'
import { runCommand, type Shell, usageError } from './cli-shell.ts'
import { deployNetwork } from './deploy/deploy-network.ts'
import { formatNetwork } from './network-file.ts'
import { systemClock } from './system-adapters.ts'

const USAGE = `Usage: holdfast-deploy --rpc <url> --config <file> [--out <network file>] [--json]

Deploys a Holdfast network's contracts from the account of a keystore and writes a network file
(default: network.json). Keys are named in the configuration file, never on the command line; an
example is in the README of @holdfast/chain.`

interface Options {
  readonly rpc: string
  readonly config: string
  readonly out: string
  readonly json: boolean
}

const optionsFrom = (args: readonly string[]): Options | 'help' => {
  let values: Readonly<Record<string, string | boolean | undefined>>
  try {
    values = parseArgs({
      args: [...args],
      options: {
        rpc: { type: 'string' },
        config: { type: 'string' },
        out: { type: 'string', default: 'network.json' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    throw usageError(cause, USAGE)
  }
  const { rpc, config, out, json, help } = values
  if (help === true) return 'help'
  if (typeof rpc !== 'string' || typeof config !== 'string' || typeof out !== 'string') {
    throw new HoldfastError({ code: 'USAGE', reason: `--rpc and --config are needed\n${USAGE}` })
  }
  return { rpc, config: resolve(config), out: resolve(out), json: json === true }
}

const deploy = async ({ args, logger, signal, print }: Shell): Promise<void> => {
  const options = optionsFrom(args)
  if (options === 'help') {
    print(USAGE)
    return
  }
  const { json, ...rest } = options
  const network = await deployNetwork({ ...rest, clock: systemClock, logger, signal })
  print(json ? formatNetwork(network).trimEnd() : options.out)
}

await runCommand(deploy)
