/**
 * `scrub`: reads every stored payload and checks frames, kept layers and roots, and that everything
 * promised is there. Damage is written down, so that the node declares it when it starts. While the
 * node runs it scrubs by itself, and the command shows how that stands.
 */
import { resolve } from 'node:path'
import { HoldfastError, leafIndex, type Root } from '@holdfast/protocol'
import { holderOf } from '@holdfast/prover'
import { askAdmin } from '../admin/client.ts'
import { homePaths } from '../home.ts'
import { formatBytes } from '../quantity.ts'
import type { Damage } from '../store/sector-store.ts'
import { type OfflineHome, withOfflineHome } from './offline.ts'
import type { CommandResult } from './output.ts'

export interface ScrubFlags {
  readonly home: string
}

interface Scrubbed {
  readonly payloads: number
  readonly bytes: bigint
  readonly damaged: readonly ({ readonly root: Root } & Damage)[]
}

export const scrub = async (flags: ScrubFlags): Promise<CommandResult> => {
  const paths = homePaths(resolve(flags.home))
  if ((await holderOf(paths.lock)) !== undefined)
    return running(await askAdmin(paths.admin, 'scrub'))
  return withOfflineHome(flags.home, async (home) => resultOf(await scrubStore(home)))
}

const running = (status: Readonly<Record<string, unknown>>): CommandResult => {
  const { payloads, verifiedBytes, days, damaged } = status
  const verified = formatBytes(BigInt(String(verifiedBytes)))
  const line = `${payloads} payloads; ${verified} verified in the last ${days} days; ${damaged} found damaged since the start`
  return { json: status, lines: [line] }
}

const scrubStore = async ({ store, holdings, book }: OfflineHome): Promise<Scrubbed> => {
  const damaged: ({ readonly root: Root } & Damage)[] = []
  let payloads = 0
  let bytes = 0n
  for (const { commitment } of [...store.stored()]) {
    const damage = await holdings.verify(commitment.root)
    payloads++
    bytes += commitment.length
    if (damage !== undefined) damaged.push({ root: commitment.root, ...damage })
  }
  for (const { root } of book.promises.receipts()) {
    if (store.find(root) !== undefined) continue
    const lost = { leaf: leafIndex(0), what: 'the payload is not in the store' }
    await holdings.noteDamage(root, lost)
    damaged.push({ root, ...lost })
  }
  return { payloads, bytes, damaged }
}

/** Damage is a failed verification: the command says so by its exit code too. */
const resultOf = ({ payloads, bytes, damaged }: Scrubbed): CommandResult => {
  const [first] = damaged
  if (first !== undefined) {
    const { root, leaf } = first
    const what = `${first.what}; ${damaged.length} of ${payloads} payloads are damaged`
    throw new HoldfastError({ code: 'PAYLOAD_CORRUPT', root, leaf, what })
  }
  return {
    json: { payloads, bytes, damaged },
    lines: [`${payloads} payloads, ${formatBytes(bytes)}: all whole`],
  }
}
