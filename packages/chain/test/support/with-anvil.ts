/** Tests that need the embedded chain run where there is one, and say so where there is none. */
import { describe, test } from '@jest/globals'
import { findAnvil } from '../../src/devnet/anvil-binary.ts'

export const describeWithAnvil = (name: string, body: () => void): void => {
  if (findAnvil() !== undefined) {
    describe(name, body)
    return
  }
  const reason = `no embedded chain for ${process.platform}-${process.arch}; set HOLDFAST_ANVIL`
  describe.skip(`${name} (${reason})`, () => {
    test('needs an embedded chain', () => undefined)
  })
}
