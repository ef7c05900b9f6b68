/**
 * How commands speak: results on stdout (one JSON value with `--json`), everything else on stderr,
 * errors with what to do next, exit codes from the error table.
 */
import { EXIT_CODES, HoldfastError } from '@holdfast/protocol'
import pc from 'picocolors'

/** What a command prints: a value for programs, lines for people. */
export interface CommandResult {
  readonly json: object
  readonly lines: readonly string[]
}

export const toJson = (value: object): string =>
  JSON.stringify(value, (_name, field: unknown) =>
    typeof field === 'bigint' ? field.toString() : field,
  )

export const printResult = (result: CommandResult, json: boolean): void => {
  const text = json ? toJson(result.json) : result.lines.join('\n')
  if (text !== '') process.stdout.write(`${text}\n`)
}

/** Prints an error; returns the exit code. */
export const printError = (thrown: unknown, json: boolean): number => {
  if (!HoldfastError.is(thrown)) {
    const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    if (json) process.stdout.write(`${toJson({ error: { code: 'INVARIANT', message } })}\n`)
    else process.stderr.write(`${pc.red('error')} ${message}\n`)
    return EXIT_CODES.error
  }
  const { message, hint, row, detail } = thrown
  if (json) process.stdout.write(`${toJson({ error: { message, hint, ...detail } })}\n`)
  else process.stderr.write(`${pc.red('error')} ${sentence(message)}\n${pc.dim(hint)}\n`)
  return EXIT_CODES[row.exit]
}

/** For people a reason needs no name; where it stands alone, neither does its code. */
const sentence = (message: string): string =>
  message.replace(/(^usage)?(: |, )reason /, (_all, usage, mark) =>
    usage === undefined ? mark : '',
  )

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')

/** How many columns a text takes: colours take none. */
const widthOf = (text: string): number => text.replaceAll(COLOUR, '').length

/** Rows in columns as wide as they need to be. */
export const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[column] ?? '')), 0),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  )
}
