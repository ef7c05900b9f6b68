/**
 * A process of its own: a whole provider on a simulated chain, in the folder given as argument, with
 * one funded publisher. With `count` as second argument parts come as far as the intake, through the
 * real listener with its limits and checksums, and are thrown away there: what the transport alone
 * costs. Tells its parent how it is reached; ends when the parent goes.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { createMemoryChain, signerFromPrivateKey, systemClock, systemRandom } from '@holdfast/chain'
import { type Address, amount, bytes, seconds, silentLogger, timestamp } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import {
  createTlsIdentity,
  createVolume,
  homePaths,
  Provider,
  type ProviderConfig,
} from '@holdfast/provider'
import { accountKey, type UploadNode } from './node-messages.ts'

const [home = '', mode = 'keep'] = process.argv.slice(2)
const paths = homePaths(home)
const [owner, operator, publisher] = [1, 2, 3].map((n) => signerFromPrivateKey(accountKey(n)))
if (!owner || !operator || !publisher) throw new Error('three accounts were made')

const chain = createMemoryChain({
  genesis: timestamp(Math.floor(systemClock.now() / 1000)),
  period: seconds(100_000),
  window: seconds(75_000),
  randomSeed: new Uint8Array(32).fill(7),
})
const token = chain.network.tokens[0]?.address
if (token === undefined) throw new Error('the simulated network has a token')

const config: ProviderConfig = {
  network: 'memory',
  provider: owner.address,
  operatorKeystore: 'unused',
  operatorPassphraseFile: 'unused',
  host: '127.0.0.1',
  grpcPort: 0,
  httpPort: 0,
  region: 'nowhere',
  token,
  pricePerTibMonth: amount(1),
  provingFeeMonth: amount(0),
  egressPerTib: amount(0),
  capacity: bytes(2n ** 40n),
  payloadBytesMax: bytes(2n ** 36n),
  diskMargin: bytes(0),
  settleEvery: 1,
}

const fund = async (account: Address): Promise<void> => {
  chain.mint(token, account, amount(10n ** 12n))
  await chain.ledger(account).deposit(token, amount(10n ** 12n))
}

for (const part of [paths.tls, paths.journal, paths.state]) await mkdir(part, { recursive: true })
await createVolume(paths.volume, owner.address)
await writeFile(paths.tokenKey, systemRandom.bytes(32))
const tls = await createTlsIdentity(paths.tls, config.host, new Date(systemClock.now()))
await fund(owner.address)
await fund(publisher.address)
const provider = await Provider.open(
  {
    ledger: chain.ledger(operator.address),
    network: chain.network,
    operator,
    prover: await openProver({ threads: 1 }),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  },
  { paths, config, software: 'bench' },
)

/** Parts of a session are counted, and called durable as far as their sum goes. */
const throwAway = (intake: Provider['parts']['intake']): void => {
  const counted = new Map<string, number>()
  const durable = intake.durable.bind(intake)
  intake.durable = (request) => {
    durable(request)
    return [{ start: bytes(0), end: bytes(counted.get(request.session) ?? 0) }]
  }
  intake.putPart = async (request, _part, { bunches }) => {
    let length = 0
    for await (const bunch of bunches(new AbortController().signal)) {
      for (const chunk of bunch) length += chunk.length
    }
    counted.set(request.session, (counted.get(request.session) ?? 0) + length)
    return intake.durable(request)
  }
}

if (mode === 'count') throwAway(provider.parts.intake)
const { grpc, http } = await provider.start()
const ready: UploadNode = {
  grpc,
  http,
  provider: owner.address,
  tlsKeyHash: tls.keyHash,
  market: chain.network.contracts.market,
  chainId: chain.network.chainId,
  token,
}
process.send?.(ready)
process.on('disconnect', () => process.exit())
