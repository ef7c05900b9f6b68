/** The browser's clock, behind two functions; the only place of the page that touches it. */

/** Seconds since 1970. */
export const wallTime = (): number => Date.now() / 1000

/** Calls again and again; returns how to stop. */
export const every = (ms: number, call: () => void): (() => void) => {
  const timer = setInterval(call, ms)
  return () => clearInterval(timer)
}
