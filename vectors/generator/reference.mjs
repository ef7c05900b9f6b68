/**
 * The slow references, from the compiled tests of `packages/protocol`: build that package first.
 */
const from = (name) =>
  import(new URL(`../../packages/protocol/dist/test/reference/${name}.js`, import.meta.url))

export const bundle = await from('bundle')
export const bytes = await from('bytes')
export const payloadTree = await from('payload-tree')
export const providerTree = await from('provider-tree')
export const challenge = await from('challenge')
export const money = await from('money')
export const settlement = await from('settlement')

/** A 32-byte value that means nothing, the same in every run. */
export const value32 = (...labels) => bytes.hex(bytes.sha256(Buffer.from(labels.join('/'))))
/** A 20-byte account that means nothing. */
export const account = (...labels) => value32('account', ...labels).slice(0, 42)
