/**
 * Reads CARs made by others with bounds: lengths are checked before the bytes they announce are
 * waited for, every block against its CID. `@ipld/car` parses; this file stands guard before it.
 */
import { HoldfastError } from '@holdfast/protocol'
import { CarBlockIterator } from '@ipld/car'
import type { CID } from 'multiformats/cid'
import { errorMessage } from '../system-error.ts'
import { verifyBlock } from '../unixfs/verify-block.ts'
import { guardCar } from './car-guard.ts'

export interface CarBlock {
  readonly cid: CID
  readonly bytes: Uint8Array
}

export interface OpenCar {
  readonly roots: readonly CID[]
  readonly blocks: AsyncIterable<CarBlock>
}

/**
 * Opens a CARv1, or the CARv1 inside a CARv2.
 * @throws HoldfastError `CAR_INVALID`; the blocks also throw `CID_MISMATCH`.
 */
export const readCar = async (source: AsyncIterable<Uint8Array>): Promise<OpenCar> => {
  const iterator = await parsing(() => CarBlockIterator.fromIterable(guardCar(source)))
  const roots = await parsing(() => iterator.getRoots())
  return { roots, blocks: verified(iterator) }
}

async function* verified(iterator: CarBlockIterator): AsyncGenerator<CarBlock> {
  const blocks = iterator[Symbol.asyncIterator]()
  for (;;) {
    const next = await parsing(() => blocks.next())
    if (next.done === true) return
    const { cid, bytes } = next.value
    await verifyBlock(cid, bytes)
    yield { cid, bytes }
  }
}

const parsing = async <T>(act: () => Promise<T>): Promise<T> => {
  try {
    return await act()
  } catch (error) {
    if (HoldfastError.is(error)) throw error
    const reason = errorMessage(error)
    throw new HoldfastError({ code: 'CAR_INVALID', reason }, { cause: error })
  }
}
