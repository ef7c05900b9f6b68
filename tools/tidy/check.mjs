/**
 * Applies all rules to a tree and takes the allow-list into account.
 */
import { CODE_RULES } from './code.mjs'
import { GRAPH_RULES } from './graph.mjs'
import { TEXT_RULES } from './text.mjs'

export const RULES = [...GRAPH_RULES, ...CODE_RULES, ...TEXT_RULES]

/** Findings that `allowed` excuses are dropped; an entry that excuses nothing becomes one. */
export const excuse = (findings, allowed) => {
  const used = new Set()
  const left = findings.filter(({ rule, key }) => {
    if (allowed[rule]?.[key] === undefined) return true
    used.add(`${rule} ${key}`)
    return false
  })
  const idle = Object.entries(allowed).flatMap(([rule, entries]) =>
    Object.keys(entries)
      .filter((key) => !used.has(`${rule} ${key}`))
      .map((key) => ({
        rule: 'allow-list',
        path: 'tools/tidy/allow.mjs',
        line: 1,
        message: `the exception of ${key} from ${rule} is not needed any more; remove it`,
        key,
      })),
  )
  return [...left, ...idle]
}

/** All findings in a tree, by file and line. */
export const tidy = (tree, allowed) => {
  const findings = excuse(
    RULES.flatMap((rule) => rule(tree)),
    allowed,
  )
  return findings.sort((a, b) => a.path.localeCompare(b.path, 'en') || a.line - b.line)
}
