/**
 * The repository as the rules see it: its files with their text, and for code the syntax tree and
 * the imports. A tree is a value; rules only read it. Tests make one from a record of texts.
 *
 * Generated files are part of the tree, but marked, because most rules do not apply to them.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'

const CODE = /\.(?:ts|mts|cts|mjs|js|cjs)$/
const WORKSPACE = /^(?:packages\/[^/]+|native|bench|tests)(?=\/)/
/** Text that people or machines read; anything else (archives, images) is not opened. */
const TEXT =
  /(?:\.(?:ts|mts|cts|mjs|js|cjs|json|md|sol|proto|toml|yaml|yml|c|h|txt|sh|html|css)|\/run)$/
const BARE_TEXT = /^(?:\.[a-z]+|LICENSE-[A-Z]+)$/

/** One file: `path` from the root with forward slashes, and what follows from it. */
class TreeFile {
  #source
  #imports

  constructor(path, text) {
    this.path = path
    this.text = text
    this.name = posix.basename(path)
    this.workspace = WORKSPACE.exec(path)?.[0]
    this.inside = this.workspace === undefined ? path : path.slice(this.workspace.length + 1)
    this.isCode = CODE.test(path)
    this.isGenerated = path.split('/').includes('generated')
    this.isTest =
      /^test\//.test(this.inside) || this.workspace === 'tests' || path.startsWith('tools/test/')
    this.isSource = this.inside.startsWith('src/') && this.workspace !== undefined
  }

  get source() {
    this.#source ??= ts.createSourceFile(this.path, this.text, ts.ScriptTarget.ES2022, true)
    return this.#source
  }

  /** `[{ specifier, line, typeOnly, names }]`, static and dynamic, exports from others included. */
  get imports() {
    this.#imports ??= this.isCode ? importsOf(this.source) : []
    return this.#imports
  }

  lineOf(node) {
    return this.source.getLineAndCharacterOfPosition(node.getStart(this.source)).line + 1
  }
}

const namesOf = (node) => {
  const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : undefined
  if (bindings === undefined || !ts.isNamedImports(bindings)) return []
  return bindings.elements.map((element) => (element.propertyName ?? element.name).text)
}

const importsOf = (source) => {
  const found = []
  const add = (literal, node, typeOnly) => {
    const line = source.getLineAndCharacterOfPosition(literal.getStart(source)).line + 1
    found.push({ specifier: literal.text, line, typeOnly, names: namesOf(node) })
  }
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node, node.importClause?.isTypeOnly === true)
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, node, node.isTypeOnly)
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, node, true)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [target] = node.arguments
      if (target !== undefined && ts.isStringLiteralLike(target)) add(target, node, false)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** All files by path, and where a relative specifier leads. */
class Tree {
  constructor(files) {
    this.files = files
    this.byPath = new Map(files.map((file) => [file.path, file]))
  }

  /** Code that people wrote. */
  get code() {
    return this.files.filter((file) => file.isCode && !file.isGenerated)
  }

  /**
   * The file at `path`; undefined when there is none. A compiled name (`dist/src/cli.js`,
   * `worker.js`) leads to the source it was compiled from.
   */
  at(path) {
    const source = path.replace(/(^|\/)dist\//, '$1').replace(/\.(c?)js$/, '.$1ts')
    return this.byPath.get(path) ?? this.byPath.get(source)
  }

  /** The file that `specifier` names when written in `from`; undefined when there is none. */
  resolve(from, specifier) {
    if (!specifier.startsWith('.')) return undefined
    return this.at(posix.normalize(posix.join(dirname(from.path), specifier)))
  }

  /** The parsed package.json of a workspace (or of the root, given undefined). */
  manifest(workspace) {
    const path = workspace === undefined ? 'package.json' : `${workspace}/package.json`
    const file = this.byPath.get(path)
    return file === undefined ? {} : JSON.parse(file.text)
  }
}

/** A tree from a record of path to text. */
export const treeFrom = (record) =>
  new Tree(Object.entries(record).map(([path, text]) => new TreeFile(path, text)))

/** The tree of a checkout: what git tracks or would track, as it is on disk now. */
export const loadTree = async (root) => {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { stdout } = await promisify(execFile)('git', list, { cwd: root, maxBuffer: 1 << 26 })
  const paths = [...new Set(stdout.split('\0'))].filter(
    (path) => TEXT.test(path) || BARE_TEXT.test(path),
  )
  const files = await Promise.all(
    paths.map(async (path) => {
      // A tracked file that somebody deleted is not there to be checked.
      const text = await readFile(join(root, path), 'utf8').catch(() => undefined)
      return text === undefined ? [] : [new TreeFile(path, text)]
    }),
  )
  return new Tree(files.flat().sort((a, b) => (a.path < b.path ? -1 : 1)))
}

/** A finding: what is wrong where, and what to do. `key` names it in the allow-list. */
export const finding = (rule, file, line, message, key = file.path) => ({
  rule,
  path: file.path,
  line,
  message,
  key,
})
