/**
 * `npm run demo [-- <path>]`: the whole story on one machine, with the built commands as a person
 * would run them. Devnet and three providers up, a dataset published with two replicas, two periods
 * of each proven and paid on chain, one holder killed, everything retrieved from the other one and
 * compared with the source. Exit 0 only if all of it happened; nothing is left behind either way.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { compare } from './demo/compare.mjs'
import { isPaidFor, openLedgerView, readReplica } from './demo/ledger.mjs'
import { DemoNetwork } from './demo/network.mjs'
import { checkedSource, copyCorpus } from './demo/source.mjs'
import {
  alignColumns,
  formatAmount,
  formatBytes,
  formatCount,
  formatPath,
  formatPeriods,
  short,
} from './demo/table.mjs'
import { ensureReady } from './lib/ready.mjs'
import { duration, runMain, say, ToolError } from './lib/say.mjs'

const PERIOD = '5s'
const PROVIDERS = 3
const REPLICAS = 2
/** Periods of each replica that must be proven and paid before a provider is killed. */
const PERIODS = 2
const PAID_MS = 180_000

/** Runs the steps of the story one after another and remembers how long each took. */
const stopwatch = () => {
  const times = []
  const step = async (name, act) => {
    say(`demo: ${name} ...`)
    const began = performance.now()
    const result = await act()
    times.push(`${name} ${duration(performance.now() - began)}`)
    return result
  }
  return { step, times }
}

const untilPaid = async (ledger, deals, signal) => {
  const end = performance.now() + PAID_MS
  const [token] = ledger.network.tokens
  for (let told = ''; ; ) {
    const replicas = await Promise.all(deals.map(({ id }) => readReplica(ledger, id)))
    const lines = replicas.map(
      ({ proven, paid }, index) =>
        `replica ${index + 1}: ${proven.length} proven, ${formatAmount(paid, token)} paid`,
    )
    if (lines.join('; ') !== told) {
      told = lines.join('; ')
      say(`demo:   ${told}`)
    }
    if (replicas.every((replica) => isPaidFor(replica, PERIODS))) return
    if (performance.now() > end) {
      throw new ToolError(`After ${duration(PAID_MS)} not all replicas are paid: ${told}.`)
    }
    await sleep(300, undefined, { signal })
  }
}

const killProvider = async (network, provider) => {
  const { providers } = await network.status()
  const found = providers.find((one) => one.provider === provider)
  if (found?.pid === undefined) throw new ToolError(`There is no process of provider ${provider}.`)
  process.kill(found.pid, 'SIGKILL')
}

const tell = ({ published, source, replicas, token, killed, compared, times }) => {
  const { dataset, payload } = published
  const rows = replicas.map(({ provider, id, proven, paid }, index) => [
    `replica ${index + 1}`,
    short(provider),
    short(id),
    formatPeriods(proven),
    formatAmount(paid, token),
    provider === killed ? 'killed' : 'served the retrieval',
  ])
  const head = ['', 'provider', 'deal', 'periods proven on chain', 'paid', 'then']
  const total = replicas.reduce((sum, { paid }) => sum + paid, 0n)
  const size = `${formatCount(compared.files, 'file')}, ${formatBytes(compared.bytes)}`
  const lines = [
    '',
    `dataset    ${dataset}`,
    `source     ${source}, ${size}`,
    `payload    ${formatBytes(Number(payload.length))}, ${payload.scheme} root ${payload.root}`,
    '',
    ...alignColumns([head, ...rows]),
    '',
    `paid       ${formatAmount(total, token)} for proven periods, 5 % network fee included`,
    `retrieved  ${size}, every byte equal to the source, with one provider dead`,
    `times      ${times.join(', ')}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

const story = async (network, given, signal) => {
  const { step, times } = stopwatch()
  const source = given ?? (await copyCorpus(network.path('addresses')))
  await step('devnet', () => network.up({ period: PERIOD, providers: PROVIDERS }))
  const published = await step('publish', async () => {
    await network.holdfast('fund', '10000', '--yes')
    const flags = ['--replicas', String(REPLICAS), '--term', '1h', '--hidden', '--yes']
    return network.holdfast('publish', source, ...flags)
  })
  const ledger = await openLedgerView(network.path('devnet', 'network.json'))
  try {
    await step('prove and pay', () => untilPaid(ledger, published.deals, signal))
    const killed = published.deals[0].provider
    await killProvider(network, killed)
    say(`demo: killed provider ${killed}`)
    const copy = network.path('copy')
    const compared = await step('retrieve', async () => {
      await network.holdfast('get', published.dataset, '--out', copy)
      return compare(source, copy)
    })
    const replicas = await Promise.all(published.deals.map(({ id }) => readReplica(ledger, id)))
    const [token] = ledger.network.tokens
    const shown = given === undefined ? 'addresses to the nation, as text' : formatPath(given)
    tell({ published, source: shown, replicas, token, killed, compared, times })
  } finally {
    await ledger.close()
  }
}

runMain(async () => {
  const [given, ...more] = process.argv.slice(2)
  if (more.length > 0) {
    throw new ToolError('Give one path, or none.', 'npm run demo -- <directory or file>')
  }
  const source = given === undefined ? undefined : await checkedSource(given)
  const began = performance.now()
  await ensureReady()
  const controller = new AbortController()
  const stop = () => controller.abort(new ToolError('The demo was interrupted.'))
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const network = await DemoNetwork.create(controller.signal)
  try {
    await story(network, source, controller.signal)
  } catch (error) {
    // Whatever broke because of the interrupt, the interrupt is the reason.
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    say('demo: cleaning up ...')
    await network.close()
  }
  say(`demo: done in ${duration(performance.now() - began)}`)
})
