/**
 * Refuses secrets on the command line, before anything is parsed: arguments are visible to every
 * user of the machine and stay in the shell's history. The offending value is never repeated.
 */
import { HoldfastError } from '@holdfast/protocol'

const SECRET_FLAG =
  /^--?(private-?key|secret(-?key)?|key|mnemonic|seed(-?phrase)?|passphrase|password)(=|$)/i
const SECRET_VALUE = /^(0x)?[0-9a-f]{64}$/i
/** What they take looks like a key and is public: ids of deals, hashes of blocks, nonces of grants. */
const PUBLIC_FLAG = /^--(deal|block|nonce)(=|$)/

/** @throws HoldfastError `USAGE`. */
export const refuseSecrets = (argv: readonly string[]): void => {
  for (const [at, argument] of argv.entries()) {
    if (argument === '--') return
    if (PUBLIC_FLAG.test(argv[at - 1] ?? '') || PUBLIC_FLAG.test(argument)) continue
    if (SECRET_FLAG.test(argument)) {
      throw refusal(`${argument.replace(/=.*/s, '')} is not accepted on the command line`)
    }
    const value = argument.startsWith('--') ? argument.slice(argument.indexOf('=') + 1) : argument
    if (SECRET_VALUE.test(value)) {
      throw refusal('an argument of 64 hex digits looks like a private key')
    }
  }
}

const refusal = (what: string): HoldfastError =>
  new HoldfastError({
    code: 'USAGE',
    reason: `${what}; use --keystore with --passphrase-file, or wallet import --key-file (for a file of that name write ./name)`,
  })
