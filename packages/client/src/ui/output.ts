/**
 * The two streams of a command: results on stdout, everything else on stderr. With `--json` stdout
 * carries exactly one JSON value, whether the command succeeds or fails.
 */
import { EXIT_CODES, type HoldfastError } from '@holdfast/protocol'
import pc from 'picocolors'
import { errorText } from './error-text.ts'
import { errorToJson, toJson } from './json.ts'

/** What a command hands back to be printed. */
export interface CommandResult {
  /** The `--json` form; undefined prints nothing. */
  readonly value: unknown
  /** The form for people; without a line break at the end. Empty prints nothing. */
  readonly text: string
  /** 0 unless given: partial results print and exit 4. */
  readonly exit?: number
}

export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

export class Output {
  readonly #streams: Streams
  readonly #json: boolean

  constructor(streams: Streams, json: boolean) {
    this.#streams = streams
    this.#json = json
  }

  get json(): boolean {
    return this.#json
  }

  /** For commands whose result is bytes. */
  get stdout(): NodeJS.WritableStream {
    return this.#streams.stdout
  }

  /** One of many results, printed when it is there: a JSON value per line with `--json`. */
  line({ value, text }: Pick<CommandResult, 'value' | 'text'>): void {
    this.#streams.stdout.write(`${this.#json ? toJson(value) : text}\n`)
  }

  /** A remark for people, on stderr. */
  note(text: string): void {
    this.#streams.stderr.write(`${text}\n`)
  }

  warn(text: string): void {
    this.note(`${pc.yellow('warning:')} ${text}`)
  }

  result({ value, text, exit }: CommandResult): number {
    const printed = !this.#json ? text : value === undefined ? '' : toJson(value)
    if (printed !== '') this.#streams.stdout.write(`${printed}\n`)
    return exit ?? EXIT_CODES.done
  }

  failure(error: HoldfastError): number {
    if (this.#json) this.#streams.stdout.write(`${errorToJson(error)}\n`)
    else this.note(`${pc.red('error:')} ${errorText(error)}\n${pc.dim('next:')}  ${error.hint}`)
    return EXIT_CODES[error.row.exit]
  }

  /** Resolves when stdout has taken everything. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve) => this.#streams.stdout.write('', () => resolve()))
    await new Promise<void>((resolve) => this.#streams.stderr.write('', () => resolve()))
  }
}
