/**
 * Rules over text of any kind: one title per page, no trace of the machine it was written on, no
 * promise without an issue.
 */
import { finding } from './tree.mjs'

const eachLine = (file, visit) => {
  const lines = file.text.split('\n')
  return lines.flatMap((line, index) => visit(line, index + 1) ?? [])
}

/** A page has one title, and it comes first. */
export const markdownTitle = (tree) =>
  tree.files
    .filter((file) => file.name.endsWith('.md'))
    .flatMap((file) => {
      const prose = file.text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
      const titles = prose.split('\n').filter((line) => /^# /.test(line)).length
      const opens = /^\s*# /.test(file.text)
      if (titles === 1 && opens) return []
      const message = opens ? `${titles} titles, a page has one` : 'does not open with its title'
      return [finding('markdown-title', file, 1, message)]
    })

/** Patterns that give a machine away. Written so that this file does not match itself. */
const TRACES = [
  [/\bregistry\.(?:[a-z0-9-]+\.)+[a-z]{2,}\b/, 'names a package registry host'],
  [
    /"resolved":\s*"https?:/,
    'a lockfile address; npm keeps none with omit-lockfile-registry-resolved',
  ],
  [
    /(?<![\w.~>}-])\/(?:work|root|Users|tmp|home\/[a-z]+|private\/var)\/[\w.-]+/,
    'names a path of one machine',
  ],
]

/** Nothing committed depends on, or tells about, where it was written. */
export const machineTraces = (tree) =>
  tree.files.flatMap((file) =>
    eachLine(file, (line, number) => {
      const trace = TRACES.find(([pattern]) => pattern.test(line))
      if (trace === undefined) return []
      return [finding('machine-trace', file, number, trace[1])]
    }),
  )

const PROMISE = /\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))/

/** A TODO is a promise; a promise has an issue. */
export const todos = (tree) =>
  tree.code
    .concat(tree.files.filter((file) => /\.(?:sol|proto|c|h)$/.test(file.name)))
    .flatMap((file) =>
      file.path.startsWith('tools/tidy/') || file.path.startsWith('tools/test/tidy')
        ? []
        : eachLine(file, (line, number) =>
            PROMISE.test(line)
              ? [
                  finding(
                    'todo',
                    file,
                    number,
                    'a TODO without an issue; write TODO(#n) or do it now',
                  ),
                ]
              : [],
          ),
    )

const PLACES = /`((?:packages|native|bench|tests|tools|docs|vectors|\.ci)\/[\w./-]*[\w-])\/?`/g
const NAMED_PLACE = /`(\w+)` in `([\w./-]+)`/g

const exists = (tree, path) =>
  tree.byPath.has(path) || tree.files.some((file) => file.path.startsWith(`${path}/`))

/**
 * Pages name files that exist, and "`name` in `file`" names something that is there: documentation
 * dies by files that moved. The changelog is history and may name what is gone.
 */
export const deadReferences = (tree) =>
  tree.files
    .filter((file) => file.name.endsWith('.md') && file.name !== 'CHANGELOG.md')
    .flatMap((file) =>
      eachLine(file, (line, number) => {
        const places = [...line.matchAll(PLACES)].map(([, path]) => path)
        const gone = places
          .filter((path) => !exists(tree, path))
          .map((path) => finding('dead-reference', file, number, `${path} does not exist`))
        const strangers = [...line.matchAll(NAMED_PLACE)]
          .filter(([, name, path]) => tree.byPath.get(path)?.text.includes(name) === false)
          .map(([, name, path]) =>
            finding('dead-reference', file, number, `there is no ${name} in ${path}`),
          )
        return [...gone, ...strangers]
      }),
    )

const FAULTS_PAGE = 'docs/faults.md'
const FAULTS = 40
const NAMED_TEST = /^\| (F\d+) \| `([\w./-]+)` \| "(.+)" \|$/

/** Every fault of the catalogue has a test on that page, and the test is there by that name. */
export const faultTests = (tree) => {
  const page = tree.byPath.get(FAULTS_PAGE)
  if (page === undefined) return []
  const named = new Set()
  const strangers = eachLine(page, (line, number) => {
    const [, fault, path, title] = NAMED_TEST.exec(line) ?? []
    if (fault === undefined) return []
    named.add(fault)
    if (tree.byPath.get(path)?.text.includes(title)) return []
    return [finding('fault-test', page, number, `${fault}: no test "${title}" in ${path}`)]
  })
  const all = Array.from({ length: FAULTS }, (_, i) => `F${i + 1}`)
  const untold = all.filter((fault) => !page.text.includes(`\n| ${fault} | `) || !named.has(fault))
  return [
    ...strangers,
    ...untold.map((fault) =>
      finding('fault-test', page, 1, `${fault} has no row or no named test`),
    ),
  ]
}

export const TEXT_RULES = [markdownTitle, machineTraces, todos, deadReferences, faultTests]
