/**
 * A process of its own that opens the store of a home and tells its parent how long that took, how
 * many payloads are there, and whether some of them can be read. Arguments: home, `open`, `index` or
 * `deep`, and the range of payloads that must be there.
 */
import { createHash } from 'node:crypto'
import { signerFromPrivateKey, systemClock, systemRandom } from '@holdfast/chain'
import { bytes, root, silentLogger } from '@holdfast/protocol'
import { homePaths, VolumeSet } from '@holdfast/provider'
import { accountKey } from '../upload/node-messages.ts'

/** What the parent is told. */
export interface Opened {
  readonly seconds: number
  readonly payloads: number
  /** Open reservations of uploads that were cut short. */
  readonly staged: number
}

const [home = '', how = 'open', count = '0'] = process.argv.slice(2)
const paths = homePaths(home)
const start = performance.now()
const store = await VolumeSet.open(
  {
    prover: { commitFile: () => Promise.reject(new Error('nothing is hashed to open a store')) },
    random: systemRandom,
    logger: silentLogger,
    clock: systemClock,
  },
  {
    volumes: [{ directory: paths.volume, capacity: bytes(2 ** 40) }],
    indexes: paths.indexes,
    provider: signerFromPrivateKey(accountKey(1)).address,
    diskMargin: bytes(0),
    ...(how === 'open' ? {} : { rebuild: how === 'deep' ? 'deep' : 'index' }),
  },
)
const seconds = (performance.now() - start) / 1e3
const payloads = store.volumes.reduce((sum, { table }) => sum + table.size, 0)
for (let number = 0; number < Number(count); number += Math.ceil(Number(count) / 50)) {
  const name = createHash('sha256').update(`p${number}`).digest('hex')
  let length = 0
  const range = { start: bytes(0), end: bytes(1000) }
  for await (const part of store.read(root(`0x${name}`), range)) length += part.length
  if (length !== 1000) throw new Error(`payload ${number} has ${length} bytes`)
}
const opened: Opened = { seconds, payloads, staged: store.staged().size }
process.send?.(opened)
await store.close()
process.disconnect?.()
