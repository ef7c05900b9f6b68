/**
 * A process of its own: a grpc-js server over TLS that takes one client stream of bytes after another
 * into a file and answers with the number of bytes once they are on disk. What an upload over gRPC
 * comes to, at its kindest: no ranges, no checksums, no journal, one sync at the end. Arguments: folder,
 * window in bytes (0 leaves the library's default), `count` to throw the bytes away instead.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import {
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { systemClock } from '@holdfast/chain'
import { createTlsIdentity } from '@holdfast/provider'
import { SINK_METHOD, widenServer } from './grpc-stream.ts'

const [folder = '', window = '0', mode = 'keep'] = process.argv.slice(2)
const { keyPem, certPem } = await createTlsIdentity(
  folder,
  '127.0.0.1',
  new Date(systemClock.now()),
)
const file = await open(join(folder, 'sink'), 'w')

const take = async (call: AsyncIterable<Buffer>): Promise<number> => {
  let at = 0
  if (mode === 'count') {
    for await (const chunk of call) at += chunk.length
    return at
  }
  for await (const chunk of call) {
    await file.write(chunk, 0, chunk.length, at)
    at += chunk.length
  }
  await file.datasync()
  return at
}

const server = new Server({ 'grpc.max_receive_message_length': 8 << 20 })
server.addService(
  { upload: SINK_METHOD },
  {
    upload: (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      take(call).then(
        (count) => answer(null, Buffer.from(String(count))),
        (error: Error) => answer(error),
      )
    },
  },
)
if (window !== '0') widenServer(server, Number(window))
const credentials = ServerCredentials.createSsl(null, [
  { private_key: Buffer.from(keyPem), cert_chain: Buffer.from(certPem) },
])
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error !== null) throw error
  process.send?.({ port, certPem })
})
process.on('disconnect', () => process.exit())
