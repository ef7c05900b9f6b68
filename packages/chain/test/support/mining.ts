/** Blocks when a test wants them, on a chain that would mine by itself. */
import type { Signer } from '@holdfast/protocol'
import { type AnvilStage, GWEI, toHexQuantity, until } from './anvil-stage.ts'

/** While nothing is mined by itself; mines in the end. */
export const withoutMining = async (
  stage: AnvilStage,
  work: () => Promise<void>,
): Promise<void> => {
  await stage.call('evm_setAutomine', [false])
  try {
    await work()
  } finally {
    await stage.call('evm_setAutomine', [true])
    await stage.call('evm_mine', [])
  }
}

/** Mines cheap blocks until it is done: a pool drops what a dear block left behind. */
export const mineUntil = async <T>(stage: AnvilStage, work: Promise<T>): Promise<T> => {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  done.catch(() => undefined)
  while (!isDone) {
    await stage.call('anvil_setNextBlockBaseFeePerGas', [toHexQuantity(GWEI)])
    await stage.call('evm_mine', [])
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return done
}

/** A block at this time in which nothing of ours has room. */
export const mineWithoutRoom = async (stage: AnvilStage, time: bigint): Promise<void> => {
  await stage.call('evm_setNextBlockTimestamp', [Number(time)])
  await stage.call('evm_setBlockGasLimit', ['0x5208'])
  await stage.call('evm_mine', [])
  await stage.call('evm_setBlockGasLimit', ['0x3938700'])
}

export const inPool = async (stage: AnvilStage, signer: Signer, count: number): Promise<void> =>
  until(async () => Object.keys(await stage.poolOf(signer)).length === count)
