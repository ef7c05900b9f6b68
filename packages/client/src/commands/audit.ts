/** `holdfast audit export` and `audit verify`: evidence about a period that a third party can check. */
import { open, writeFile } from 'node:fs/promises'
import type { Deal } from '@holdfast/chain'
import { dealId, type Hash32, HoldfastError, hash32, type Period, period } from '@holdfast/protocol'
import { decodeEvidence, EVIDENCE_BYTES_MAX } from '../audit/evidence/evidence-file.ts'
import { makeEvidence } from '../audit/evidence/make-evidence.ts'
import { meaningOf, type Verdict, verifyEvidence } from '../audit/evidence/verify-evidence.ts'
import { accountAddress, loadNetwork } from '../config/open-network.ts'
import { parseAddress } from '../retrieve.ts'
import { datasetStatus } from '../status.ts'
import { errorCode, errorMessage } from '../system-error.ts'
import type { CommandResult } from '../ui/output.ts'
import type { Register, Runtime } from './runtime.ts'
import { type Session, withNetwork } from './session.ts'

interface ExportFlags {
  readonly deal?: string
  readonly period?: string
  readonly out: string
}

interface VerifyFlags {
  readonly block?: readonly string[]
}

const gather = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

export const registerAudit: Register = (program, run) => {
  const audit = program.command('audit').description('evidence that a third party verifies offline')
  audit
    .command('export <dataset>')
    .description('write what a provider committed to about a deal in a period, with all its proofs')
    .requiredOption('--out <file>', 'the file of evidence')
    .option('--deal <id>', 'which replica; needed when there are several')
    .option('--period <n>', 'one of the last 8; the newest committed one unless given')
    .action(
      run<ExportFlags>((runtime, flags, dataset = '') =>
        withNetwork(runtime, (session) => exportEvidence(runtime, session, flags, dataset)),
      ),
    )
  audit
    .command('verify <file>')
    .description('check a file of evidence with nothing but the network file; needs no connection')
    .option('--block <hash>', 'a block known to be on the chain; may be given again', gather)
    .action(run<VerifyFlags>((runtime, flags, file = '') => verify(runtime, flags, file)))
}

const exportEvidence = async (
  runtime: Runtime,
  session: Session,
  flags: ExportFlags,
  dataset: string,
): Promise<CommandResult> => {
  const { ledger, network, options } = session
  const { clock, logger } = runtime
  const { root } = parseAddress(dataset)
  const account = await accountAddress(runtime.settings, network)
  const { replicas } = await datasetStatus(ledger, { root, account }, { clock, ...options })
  const found = replicas.filter(({ deal: { id } }) => flags.deal === undefined || id === flags.deal)
  const [replica, second] = found
  if (replica === undefined) {
    throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal: dealId(flags.deal ?? '') })
  }
  if (second !== undefined) {
    const ids = found.map(({ deal: { id } }) => id).join(', ')
    throw new HoldfastError({ code: 'USAGE', reason: `choose one with --deal: ${ids}` })
  }
  const { deal, proven } = replica
  const of = await periodOf(session, deal, flags.period, proven)
  const made = await makeEvidence({ ...session, clock, logger }, deal, of, options)
  await writeFile(flags.out, made.text)
  return describe(made.verdict, { file: flags.out, bytes: made.text.length })
}

/** The period that is asked for, else the newest that is committed. */
const periodOf = async (
  { ledger, options }: Session,
  { terms: { provider } }: Deal,
  wanted: string | undefined,
  proven: readonly Period[],
): Promise<Period> => {
  if (wanted !== undefined) {
    if (/^\d{1,15}$/.test(wanted)) return period(BigInt(wanted))
    throw new HoldfastError({ code: 'USAGE', reason: `--period ${wanted} is not a number` })
  }
  for (const of of proven.slice(-8).toReversed()) {
    if ((await ledger.committed(provider, of, options)) !== undefined) return of
  }
  const reason = 'no period of the deal is committed yet'
  throw new HoldfastError({ code: 'NOTHING_TO_DO', reason })
}

const verify = async (
  runtime: Runtime,
  { block = [] }: VerifyFlags,
  file: string,
): Promise<CommandResult> => {
  const { network } = await loadNetwork(runtime.settings)
  const known: readonly Hash32[] = block.map(hash32)
  const verdict = verifyEvidence(network, decodeEvidence(await readBounded(file)), known)
  return describe(verdict, { file })
}

/** A file of evidence, and not one byte more than one may have. */
const readBounded = async (path: string): Promise<Uint8Array> => {
  try {
    const file = await open(path, 'r')
    try {
      const buffer = new Uint8Array(EVIDENCE_BYTES_MAX + 1)
      let size = 0
      for (;;) {
        const { bytesRead } = await file.read(buffer, size, buffer.length - size, size)
        size += bytesRead
        if (bytesRead === 0 || size === buffer.length) return buffer.subarray(0, size)
      }
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') throw new HoldfastError({ code: 'FILE_NOT_FOUND', path })
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason: errorMessage(cause) })
  }
}

const describe = (verdict: Verdict, about: Readonly<Record<string, unknown>>): CommandResult => {
  const { proves, doesNotProve } = meaningOf(verdict)
  const { deal, provider, period: of, block } = verdict
  const text = [
    `deal      ${deal}`,
    `provider  ${provider}`,
    `period    ${of}`,
    `block     ${block.number}  ${block.hash}`,
    `verdict   ${verdict.verdict === 'shown' ? 'shown' : 'WRONG: not what was agreed'}`,
    'proves',
    ...proves.map((line) => `  ${line}`),
    'does not prove',
    ...doesNotProve.map((line) => `  ${line}`),
  ].join('\n')
  return { value: { ...about, ...verdict, proves, doesNotProve }, text }
}
