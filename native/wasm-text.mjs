/**
 * Two steps around the AssemblyScript compiler that it has no words for. Before it: one round of a hash
 * becomes eight. After it: calls of `order` become reads of a global that nobody uses.
 *
 * Both are plain rewriting of text and say so when they find nothing to do.
 */

const NAMES = 'abcdefgh'
const BLOCK = /^ *\/\/ eight rounds:.*\n([\s\S]*?)^ *\/\/ end of rounds\n/gm

/** The names of a round's state as they are `turn` rounds later; `ab` and `bc` take turns. */
const turned = (text, turn) =>
  text
    .replace(/\b[a-h]\b/g, (name) => NAMES[(NAMES.indexOf(name) + 8 - turn) % 8])
    .replace(/\b(?:ab|bc)\b/g, (name) => (turn % 2 === 0 ? name : name === 'ab' ? 'bc' : 'ab'))
    .replace(/\bT\b/g, String(turn))

/**
 * Writes every marked round out eight times: eight rounds later the eight names are where they were, so
 * that nothing is moved. `T` becomes the number of the round, 0 to 7.
 */
export const unrollRounds = (source) => {
  const text = source.replace(BLOCK, (_, round) =>
    Array.from({ length: NAMES.length }, (_unused, turn) => turned(round, turn)).join('\n'),
  )
  if (text === source) throw new Error('kernel.as: no rounds to unroll')
  return text
}

const IMPORT = /^ *\(import "env" "order" \(func \$(\S+).*\n/m
const GLOBAL = '(global $order (mut i32) (i32.const 0))'

/**
 * Replaces each `order(n)` of a module in text form by n reads of a mutable global whose value is
 * dropped. V8 keeps their place among loads and stores, but makes no instruction of them: so they say
 * how far before a store its value may be computed. (As calls, binaryen leaves them where they are; as
 * reads it would take them out.)
 */
export const orderByReads = (text) => {
  const found = IMPORT.exec(text)
  if (!found) throw new Error('kernel.as: no import named order')
  const name = `$${found[1]}`.replaceAll('$', '\\$')
  const call = new RegExp(`\\(call ${name}\\s+\\(i32\\.const (\\d+)\\)\\s*\\)`, 'g')
  const read = '(drop (global.get $order))'
  const done = text
    .replace(IMPORT, `${GLOBAL}\n`)
    .replace(call, (_, times) => read.repeat(Number(times)))
  if (done.includes(`$${found[1]}`)) throw new Error('kernel.as: order() wants a constant')
  return done
}
