/**
 * Thread entry: makes one CAR index from a payload that is sent to it piece by piece. Every piece is
 * answered before the next one comes, so at most one waits here.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { openChecksum } from '@holdfast/prover'
import { blocksMaxOf } from './car-limits.ts'
import { keyOf } from './cids.ts'
import { IndexWriter } from './index-writer.ts'
import { SectionWalker } from './section-walker.ts'

/** What the thread is started with. */
export interface IndexTask {
  readonly path: string
  readonly payload: string
  readonly payloadLength: number
}

/** Pieces, then the end. */
export type ToIndexWorker =
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }

export type FromIndexWorker =
  /** Ready for more; `isOver` says that more is of no use. */
  | { readonly kind: 'ready'; readonly isOver: boolean }
  | { readonly kind: 'done'; readonly entries: number }

const port = parentPort
if (port === null) throw new Error('index-worker is started as a worker thread only')

const { path, payload, payloadLength } = workerData as IndexTask
const writer = new IndexWriter(path, openChecksum())
const blocksMax = blocksMaxOf(payloadLength)
const walker = new SectionWalker(({ cid, offset }) => {
  if (writer.entries >= blocksMax) return false
  writer.add(keyOf(cid), offset)
  return true
})
const say = (message: FromIndexWorker): void => port.postMessage(message)

port.on('message', (message: ToIndexWorker) => {
  if (message.kind === 'piece') {
    walker.feed(message.bytes)
    return say({ kind: 'ready', isOver: walker.isOver })
  }
  const { roots, unknown, wrong, ended } = walker.end()
  const said = { roots: roots.map(String), unknown, wrong, ended }
  const entries = writer.finish({ payload, payloadLength, ...said })
  say({ kind: 'done', entries })
  port.close()
})
