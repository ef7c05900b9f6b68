/** A configuration as `init` writes one. */
import { address, amount, bytes } from '@holdfast/protocol'
import type { ProviderConfig } from '../../src/config.ts'

export const CONFIG: ProviderConfig = {
  network: 'net.json',
  provider: address(`0x${'01'.repeat(20)}`),
  operatorKeystore: 'key.json',
  operatorPassphraseFile: 'key.pass',
  host: '127.0.0.1',
  grpcPort: 4500,
  httpPort: 4501,
  region: 'eu',
  token: address(`0x${'02'.repeat(20)}`),
  pricePerTibMonth: amount(5),
  provingFeeMonth: amount(0),
  egressPerTib: amount(0),
  capacity: bytes(2n ** 40n),
  payloadBytesMax: bytes(2n ** 30n),
  diskMargin: bytes(0),
  settleEvery: undefined,
}
