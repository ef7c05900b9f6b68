/**
 * Rules over single code files: what the linter cannot say about size, time, chance, units and
 * comments. Generated files are exempt except from naming their generator.
 */
import ts from 'typescript'
import { finding } from './tree.mjs'

export const FUNCTION_LINES_MAX = 70
export const FILE_LINES_MAX = 300

const walk = (node, visit) => {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** Collects findings of one rule over the nodes of the files that `applies` chooses. */
const overNodes = (tree, applies, judge) => {
  const found = []
  for (const file of tree.code.filter(applies)) {
    walk(file.source, (node) => {
      const result = judge(node, file)
      if (result !== undefined) found.push(result)
    })
  }
  return found
}

/** Names are chosen once, where a thing is declared; a default export is renamed by each importer. */
export const defaultExports = (tree) =>
  overNodes(
    tree,
    (file) => !/\.config\.m?[jt]s$/.test(file.name),
    (node, file) => {
      const isDefault =
        (ts.isExportAssignment(node) && !node.isExportEquals) ||
        node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ||
        (ts.isExportSpecifier(node) && node.name.text === 'default')
      if (!isDefault) return undefined
      return finding('default-export', file, file.lineOf(node), 'default export; export it by name')
    },
  )

/** `any` switches the compiler off from there on. */
export const anyTypes = (tree) =>
  overNodes(
    tree,
    () => true,
    (node, file) =>
      node.kind === ts.SyntaxKind.AnyKeyword
        ? finding('any', file, file.lineOf(node), 'any; use unknown and narrow it once')
        : undefined,
  )

const functionName = (node) => {
  if (node.name !== undefined) return node.name.getText()
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  const { parent } = node
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent))
    return parent.name.getText()
  if (ts.isCallExpression(parent)) {
    const [title] = parent.arguments
    const words = title !== undefined && ts.isStringLiteralLike(title) ? ` ${title.text}` : ''
    return `${parent.expression.getText().split('\n')[0]}${words}`
  }
  return 'function'
}

const isDescribe = ({ parent }) =>
  ts.isCallExpression(parent) && /^describe/.test(parent.expression.getText())

/** A conformance suite's function is a table of contents too: its tests are judged one by one. */
const isSuite = (node, file) =>
  file.isTest &&
  /suite$/i.test(functionName(node)) &&
  /\btest(?:\.\w+)?\(/.test(node.body.getText())

/** A function fits on a screen. */
export const functionLength = (tree) =>
  overNodes(
    tree,
    () => true,
    (node, file) => {
      if (!ts.isFunctionLike(node) || node.body === undefined) return undefined
      if (isDescribe(node) || isSuite(node, file)) return undefined
      const first = file.lineOf(node)
      const last = file.source.getLineAndCharacterOfPosition(node.end).line + 1
      const lines = last - first + 1
      if (lines <= FUNCTION_LINES_MAX) return undefined
      const name = functionName(node)
      const message = `${name} has ${lines} lines, at most ${FUNCTION_LINES_MAX}; give its parts names`
      return finding('function-length', file, first, message, `${file.path}#${name}`)
    },
  )

/** A file fits in a head. */
export const fileLength = (tree) =>
  tree.code.flatMap((file) => {
    const lines = file.text.split('\n').length - 1
    if (lines <= FILE_LINES_MAX) return []
    const message = `${lines} lines, at most ${FILE_LINES_MAX}; split it by what changes together`
    return [finding('file-length', file, 1, message)]
  })

const ADAPTER = /(?:^|\/)(?:[^/]*adapter[^/]*|system-[^/]*|cli[^/]*)(?:\/|\.ts$)/
const IMPLEMENTS_PORT = /(?::\s*(?:Clock|Random)\s*=[^>])|(?:implements\s[^{]*\b(?:Clock|Random)\b)/

/** May this file read the real clock and the real dice? */
export const isAdapter = (file) => ADAPTER.test(file.inside) || IMPLEMENTS_PORT.test(file.text)

const BANNED_CALLS = new Map([
  ['Date.now', 'take a Clock'],
  ['Math.random', 'take a Random'],
  ['setTimeout', 'take a Clock and use its sleep'],
  ['setInterval', 'take a Clock and use its sleep in a loop'],
  ['globalThis.setTimeout', 'take a Clock and use its sleep'],
  ['globalThis.setInterval', 'take a Clock and use its sleep in a loop'],
])

const bannedUse = (node) => {
  if (ts.isCallExpression(node)) {
    const name = node.expression.getText()
    return BANNED_CALLS.has(name) ? [name, BANNED_CALLS.get(name)] : undefined
  }
  if (!ts.isNewExpression(node) || node.expression.getText() !== 'Date') return undefined
  return (node.arguments?.length ?? 0) === 0 ? ['new Date()', 'take a Clock'] : undefined
}

/** Time and chance come in through ports, so that a test can hold them. */
export const bannedGlobals = (tree) => {
  const applies = (file) => file.isSource && file.workspace !== 'bench' && !isAdapter(file)
  const calls = overNodes(tree, applies, (node, file) => {
    const use = bannedUse(node)
    if (use === undefined) return undefined
    return finding(
      'banned-global',
      file,
      file.lineOf(node),
      `${use[0]} outside an adapter; ${use[1]}`,
    )
  })
  const imports = tree.code
    .filter(applies)
    .flatMap((file) =>
      file.imports
        .filter(({ specifier }) => /^node:timers/.test(specifier))
        .map(({ specifier, line }) =>
          finding('banned-global', file, line, `${specifier} outside an adapter; take a Clock`),
        ),
    )
  return [...calls, ...imports]
}

const openingComment = (file) => {
  const text = file.text.replace(/^#!.*\n/, '')
  const [first] = ts.getLeadingCommentRanges(text, 0) ?? []
  return first === undefined ? '' : text.slice(first.pos, first.end)
}

/** A file says first what it is, what it guarantees and what it does not do. */
export const openingParagraph = (tree) =>
  tree.code
    .filter((file) => !/^bin\//.test(file.inside) && !/^(?:test|tests)\/fixtures\//.test(file.path))
    .filter((file) => openingComment(file).replace(/[^a-z]/gi, '').length < 20)
    .map((file) =>
      finding(
        'opening-paragraph',
        file,
        1,
        'opens without a paragraph on what it is and what it is not',
      ),
    )

/** A generated file names what made it, so that nobody edits it by hand. */
export const generatedHeader = (tree) =>
  tree.files
    .filter((file) => file.isCode && file.isGenerated)
    .filter((file) => !/generat/i.test(file.text.slice(0, 800)))
    .map((file) => finding('generated-header', file, 1, 'does not name its generator at the top'))

const MEASURED = new Set(
  (
    'bytes amount price period periods epoch epochs timestamp fee fees deposit collateral balance ' +
    'cost stake leaves rate payout escrow'
  ).split(' '),
)

/** The last word of a camelCase name, in lower case. */
const lastWord = (name) =>
  name
    .split(/(?=[A-Z])/)
    .at(-1)
    .toLowerCase()

const isExported = (node) => {
  for (let at = node; at !== undefined; at = at.parent) {
    if (at.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return true
    if (ts.isBlock(at) || ts.isPrivateIdentifier(at.name ?? at)) return false
  }
  return false
}

const DECLARES = [
  ts.isPropertySignature,
  ts.isPropertyDeclaration,
  ts.isParameter,
  ts.isVariableDeclaration,
]

/** Money, bytes and protocol time have types of their own; a number is neither checked nor exact. */
export const bareNumbers = (tree) =>
  overNodes(
    tree,
    (file) => file.isSource && file.workspace.startsWith('packages/'),
    (node, file) => {
      if (!DECLARES.some((is) => is(node)) || !ts.isIdentifier(node.name)) return undefined
      const bare = node.type
        ?.getText()
        .split('|')
        .some((part) => part.trim() === 'number')
      if (!bare || !MEASURED.has(lastWord(node.name.text)) || !isExported(node)) return undefined
      // A constant in capitals is a length that everybody can read where it is declared.
      if (/^[A-Z0-9_]+$/.test(node.name.text)) return undefined
      const message = `${node.name.text} is a bare number; use a branded type of units.ts`
      return finding(
        'bare-number',
        file,
        file.lineOf(node),
        message,
        `${file.path}#${node.name.text}`,
      )
    },
  )

export const CODE_RULES = [
  defaultExports,
  anyTypes,
  functionLength,
  fileLength,
  bannedGlobals,
  openingParagraph,
  generatedHeader,
  bareNumbers,
]
