/** What of an upload is hashed while it arrives, against a prover that only notes what it is given. */
import { bytes, type Commitment } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { UploadCommits } from '../../src/store/upload-commits.ts'
import { commitmentOf } from '../support/payloads.ts'

const LENGTH = 1000
const COMMITMENT: Commitment = { ...commitmentOf(new Uint8Array(1)), length: bytes(LENGTH) }
const PLACE = { path: 'somewhere', payload: 0, layers: LENGTH }

const notingCommits = (): { readonly commits: UploadCommits; readonly given: Uint8Array } => {
  const given = new Uint8Array(LENGTH)
  const cover = async (range: {
    readonly offset: bigint
    readonly length: bigint
  }): Promise<void> => {
    for (let at = Number(range.offset); at < range.offset + range.length; at++)
      given[at] = 1 + (given[at] ?? 0)
  }
  const commits = new UploadCommits({
    commitFile: async () => COMMITMENT,
    commitRanges: () => ({ cover, checkpoint: () => [], finish: async () => COMMITMENT }),
  })
  commits.begin('upload', COMMITMENT, PLACE)
  return { commits, given }
}

test('parts that are written and synced at once are each given to the prover once', async () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: LENGTH - 1 }), { maxLength: 12 })
  const order = fc.array(fc.nat(), { minLength: 60, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(cuts, order, async (places, choices) => {
      const { commits, given } = notingCommits()
      const edges = [0, ...places.sort((a, b) => a - b), LENGTH]
      const toWrite = edges.slice(1).map((end, i) => [edges[i] ?? 0, end] as const)
      const syncs: ReturnType<UploadCommits['syncing']>[] = []
      for (const choice of choices) {
        if (choice % 3 === 0) {
          const [part] = toWrite.splice(choice % Math.max(1, toWrite.length), 1)
          if (part !== undefined) commits.wrote('upload', part[0], part[1] - part[0])
        } else if (choice % 3 === 1) syncs.push(commits.syncing('upload'))
        else {
          // Syncs may end in another order than they began in.
          const [ended] = syncs.splice(choice % Math.max(1, syncs.length), 1)
          if (ended !== undefined) commits.durable('upload', ended)
        }
      }
      for (const [start, end] of toWrite) commits.wrote('upload', start, end - start)
      syncs.push(commits.syncing('upload'))
      for (const ended of syncs) commits.durable('upload', ended)
      expect(await commits.finish('upload', LENGTH)).toBe(COMMITMENT)
      expect(given.every((times) => times === 1)).toBe(true)
    }),
    { numRuns: 200 },
  )
})

test('bytes written again while they are synced are hashed anew when the upload is sealed', async () => {
  const { commits } = notingCommits()
  commits.wrote('upload', 0, LENGTH)
  const written = commits.syncing('upload')
  commits.wrote('upload', 10, 5)
  commits.durable('upload', written)
  expect(await commits.finish('upload', LENGTH)).toBeUndefined()
})

test('what no sync has made durable is not taken for hashed', async () => {
  const { commits } = notingCommits()
  commits.wrote('upload', 0, LENGTH - 1)
  commits.durable('upload', commits.syncing('upload'))
  commits.wrote('upload', LENGTH - 1, 1)
  commits.syncing('upload')
  expect(await commits.finish('upload', LENGTH)).toBeUndefined()
})
