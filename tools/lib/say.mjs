/**
 * What the repository's own commands tell people: one line per step on stderr, and failures as
 * values that carry what to do next. stdout stays free for results.
 */

/** A failure that a person can act on: printed as it is, without a stack. */
export class ToolError extends Error {
  /** @param {string} message what happened, to what  @param {string} hint what to do next */
  constructor(message, hint) {
    super(hint === undefined ? message : `${message}\n  ${hint}`)
    this.name = 'ToolError'
  }
}

export const say = (text) => {
  process.stderr.write(`${text}\n`)
}

/**
 * Runs a command's main function, which may return an exit code; a ToolError ends the process with its message and exit code 1,
 * anything else with its stack, because it is our bug.
 */
export const runMain = async (main) => {
  try {
    const code = await main()
    if (code !== undefined) process.exitCode = code
  } catch (error) {
    say(error instanceof ToolError ? `error: ${error.message}` : String(error?.stack ?? error))
    process.exitCode = 1
  }
}

/** `1.2 s`, `3 min 4 s`. */
export const duration = (milliseconds) => {
  const seconds = milliseconds / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
