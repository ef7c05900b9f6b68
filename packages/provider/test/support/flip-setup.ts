/** Flipping bits in what `init` writes: configuration, token key, the operator's key, its passphrase. */
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  createKeystore,
  LIGHT_COST,
  openKeystore,
  readPassphrase,
  systemRandom,
} from '@holdfast/chain'
import { HoldfastError } from '@holdfast/protocol'
import { readConfig, writeConfig } from '../../src/config.ts'
import { sealFile } from '../../src/config-seal.ts'
import { keepTokenKey } from '../../src/token-key.ts'
import { type Trial, trialOn } from './flip-trial.ts'
import { CONFIG } from './settings.ts'

const WRITTEN = new Date(1_700_000_000_000)
const PASSPHRASE = 'twelve words'
/** What damage to a keystore or its passphrase is called. */
const KEY_REFUSALS = ['KEYSTORE_INVALID', 'PASSPHRASE_WRONG', 'INPUT_UNREADABLE'] as const

/** Each is what it was, or is refused; never another setting, token or account. */
export const setupTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const home = join(scratch, 'setup')
  await mkdir(home, { recursive: true })
  const at = (name: string): string => join(home, name)
  return { ...(await configTrials(at('config.json'))), ...(await keyTrials(at)) }
}

const configTrials = async (path: string): Promise<Readonly<Record<string, Trial>>> => {
  await writeConfig(path, CONFIG)
  // Rot does not change when a file was written.
  const asWritten = (): Promise<void> => utimes(path, WRITTEN, WRITTEN)
  await asWritten()
  await sealFile(path)
  const wanted = await readConfig(path)
  const same = async (): Promise<boolean> => {
    await asWritten()
    if (!isDeepStrictEqual(await readConfig(path), wanted)) throw new Error('other settings')
    return true
  }
  const refused = async (): Promise<boolean> => {
    await same()
    throw new Error('a changed configuration was taken')
  }
  return {
    configuration: trialOn(path, refused),
    'seal of the configuration': trialOn(`${path}.seal`, same),
  }
}

const keyTrials = async (
  at: (name: string) => string,
): Promise<Readonly<Record<string, Trial>>> => {
  const [token, path, words] = [at('token.key'), at('keystore.json'), at('passphrase')]
  const key = await keepTokenKey(token, systemRandom)
  await writeFile(words, PASSPHRASE)
  const { address } = await createKeystore({ path, passphrase: PASSPHRASE }, { cost: LIGHT_COST })
  const sameToken = async (): Promise<boolean> => {
    if (Buffer.from(await keepTokenKey(token, systemRandom)).equals(key)) return true
    throw new Error('another token key is believed')
  }
  const sameAccount = async (): Promise<boolean> => {
    try {
      const opened = await openKeystore(path, await readPassphrase(words))
      if (opened.address === address) return true
    } catch (error) {
      if (!KEY_REFUSALS.some((code) => HoldfastError.is(error, code))) throw error
      throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason: String(error) })
    }
    throw new Error('another account is believed')
  }
  return {
    'token key': trialOn(token, sameToken),
    keystore: trialOn(path, sameAccount),
    passphrase: trialOn(words, sameAccount),
  }
}
