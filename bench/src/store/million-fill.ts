/**
 * A process of its own that fills a provider's home with small payloads through the real store, says
 * when they are all durable, and goes on writing until it is killed. Arguments: home, how many, and the
 * number of the first.
 *
 * Names stand for roots, so that filling takes minutes and not an hour: a restart does not hash.
 */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { signerFromPrivateKey, systemClock, systemRandom } from '@holdfast/chain'
import { bytes, type Commitment, root, silentLogger, timestamp } from '@holdfast/protocol'
import { createVolume, homePaths, VolumeSet } from '@holdfast/provider'
import { accountKey } from '../upload/node-messages.ts'
import { inLanes } from './stores.ts'

const [home = '', count = '0', from = '0'] = process.argv.slice(2)
/** After these: more than there is time for. */
const MORE = 1_000_000
const paths = homePaths(home)
const provider = signerFromPrivateKey(accountKey(1)).address
const SIZE = 1000
const AT_ONCE = 256

const commitments = new Map<string, Commitment>()
const openStore = (): Promise<VolumeSet> =>
  VolumeSet.open(
    {
      // the one payload of this length that is being sealed at this place is the one that is meant
      prover: {
        commitFile: async ({ path, offset }) => {
          const commitment = commitments.get(`${path} ${offset}`)
          if (commitment === undefined) throw new Error('a place that was given out')
          return commitment
        },
      },
      random: systemRandom,
      logger: silentLogger,
      clock: systemClock,
    },
    {
      volumes: [{ directory: paths.volume, capacity: bytes(2 ** 40) }],
      indexes: paths.indexes,
      provider,
      diskMargin: bytes(0),
    },
  )

await mkdir(paths.indexes, { recursive: true })
await createVolume(paths.volume, provider)
const store = await openStore()
const [volume] = store.volumes
if (volume === undefined) throw new Error('one volume was opened')

const data = new Uint8Array(SIZE)
const storeOne = async (number: number): Promise<void> => {
  const name = `p${number}`
  const hash = createHash('sha256').update(name).digest('hex')
  const commitment: Commitment = { scheme: 1, root: root(`0x${hash}`), length: bytes(SIZE) }
  await store.reserve(name, commitment)
  const place = volume.reservations.get(name)?.place
  if (place === undefined) throw new Error('it was reserved')
  const at = `${place.path} ${place.payload}`
  commitments.set(at, commitment)
  await store.write(name, bytes(0), [data])
  await store.seal(name, timestamp(1))
  commitments.delete(at)
}

const numbers = (first: number, many: number): readonly number[] =>
  Array.from({ length: many }, (_, i) => first + i)

await inLanes(AT_ONCE, numbers(Number(from), Number(count)), storeOne)
process.send?.('full')
await inLanes(AT_ONCE, numbers(Number(from) + Number(count), MORE), storeOne)
