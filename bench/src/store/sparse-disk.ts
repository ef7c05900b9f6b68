/**
 * The real file system, but for long runs of zeros, which are left as holes: so that a payload of
 * 64 GiB goes through the whole store on a disk that is smaller. Right as long as nothing was written
 * at such a place before, which holds for a payload that is written once.
 */
import { type Disk, fileDisk } from '@holdfast/provider'

const RUN_MIN = 65_536
const zeros = Buffer.alloc(2 ** 20)

const isZeros = (data: Uint8Array): boolean =>
  data.length >= RUN_MIN &&
  data.length <= zeros.length &&
  Buffer.from(data.buffer, data.byteOffset, data.length).equals(zeros.subarray(0, data.length))

export const createDisk = (): Disk => ({
  ...fileDisk,
  write: (file, data, position) => {
    if (!isZeros(data)) fileDisk.write(file, data, position)
  },
  // What is asked for is the payload's length, of which little is going to be taken.
  free: () => 2n ** 50n,
})
