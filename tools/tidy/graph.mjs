/**
 * Rules over imports: which package may know which, no circles, no way round a package's face, no
 * dependency that is not declared or not used.
 *
 * TypeScript's project references do not enforce any of this: workspace links let every package
 * import every other, so a wrong arrow compiles and runs until somebody publishes the packages.
 */
import { deadFiles, facesOf } from './reach.mjs'
import { finding } from './tree.mjs'

const PACKAGES = ['protocol', 'prover', 'chain', 'client', 'provider']
const SCOPE = '@holdfast/'

/** The picture in docs/architecture.md as data: what each workspace may import of ours. */
export const ARROWS = {
  native: [],
  'packages/protocol': [],
  'packages/prover': ['protocol', 'native'],
  'packages/chain': ['protocol'],
  'packages/client': ['protocol', 'prover', 'chain'],
  'packages/provider': ['protocol', 'prover', 'chain'],
  bench: ['native', ...PACKAGES],
  tests: ['native', ...PACKAGES],
}

/** `@scope/name` or `name` of a package specifier; undefined for relative and builtin ones. */
const packageOf = (specifier) => {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0]
}

const inWorkspace = (tree) => tree.files.filter((file) => file.isCode && file.workspace)

/** Only the arrows of the picture, in imports and in package.json alike. */
export const packageGraph = (tree) => {
  const found = []
  const judge = (file, line, name) => {
    const target = name.slice(SCOPE.length)
    if (`packages/${target}` === file.workspace || target === file.workspace) {
      if (file.isSource) {
        found.push(
          finding('package-graph', file, line, `imports its own package by name; import the file`),
        )
      }
      return
    }
    const allowed = ARROWS[file.workspace] ?? []
    if (allowed.includes(target)) return
    const list = allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')
    found.push(
      finding(
        'package-graph',
        file,
        line,
        `${file.workspace} imports ${name}; it may import ${list}`,
      ),
    )
  }
  for (const file of inWorkspace(tree)) {
    for (const { specifier, line } of file.imports) {
      const name = packageOf(specifier)
      if (name?.startsWith(SCOPE)) judge(file, line, name)
    }
  }
  for (const workspace of Object.keys(ARROWS)) {
    const file = tree.byPath.get(`${workspace}/package.json`)
    const names = Object.keys(tree.manifest(workspace).dependencies ?? {})
    for (const name of names.filter((name) => name.startsWith(SCOPE))) judge(file, 1, name)
  }
  return found
}

/** Another package is entered through what it exports, never through its files. */
export const deepImports = (tree) => {
  const found = []
  const faces = facesOf(tree)
  for (const file of inWorkspace(tree)) {
    for (const { specifier, line } of file.imports) {
      const name = packageOf(specifier)
      const deep = name?.startsWith(SCOPE) && specifier !== name && !faces.has(specifier)
      const target = tree.resolve(file, specifier)
      const across = target?.workspace !== undefined && target.workspace !== file.workspace
      if (!deep && !across) continue
      found.push(
        finding(
          'deep-import',
          file,
          line,
          `reaches into another package: ${specifier}; ` +
            'export what is needed from its index.ts and import it by package name',
        ),
      )
    }
  }
  return found
}

/** The floor runs anywhere: no Node API in what both sides must compute alike. */
export const pureProtocol = (tree) =>
  tree.files
    .filter((file) => file.workspace === 'packages/protocol' && file.isSource)
    .flatMap((file) =>
      file.imports
        .filter(({ specifier }) => specifier.startsWith('node:'))
        .map(({ specifier, line }) =>
          finding(
            'pure-protocol',
            file,
            line,
            `protocol must not use ${specifier}; take a port instead`,
          ),
        ),
    )

const declaredFor = (tree, file) => {
  const own = tree.manifest(file.workspace)
  const shipped = [own.dependencies, own.optionalDependencies, own.peerDependencies]
  const helping = file.isSource ? [] : [own.devDependencies, tree.manifest().devDependencies]
  return new Set([...shipped, ...helping].flatMap((part) => Object.keys(part ?? {})))
}

/** What a package imports stands in its own package.json; a hoisted neighbour's copy is luck. */
export const undeclaredImports = (tree) => {
  const found = []
  for (const file of inWorkspace(tree)) {
    const declared = declaredFor(tree, file)
    for (const { specifier, line } of file.imports) {
      const name = packageOf(specifier)
      if (name === undefined || declared.has(name)) continue
      if (name === tree.manifest(file.workspace).name) continue
      const place = `${file.workspace}/package.json`
      found.push(finding('undeclared-import', file, line, `${name} is not declared in ${place}`))
    }
  }
  return found
}

/** A dependency that no file of its package names is weight for nothing. */
export const unusedDependencies = (tree) => {
  const found = []
  for (const workspace of Object.keys(ARROWS)) {
    const file = tree.byPath.get(`${workspace}/package.json`)
    if (file === undefined) continue
    const own = tree.manifest(workspace)
    const texts = tree.files.filter((other) => other.workspace === workspace && other !== file)
    const groups = [own.dependencies, own.optionalDependencies, own.devDependencies]
    for (const name of groups.flatMap((group) => Object.keys(group ?? {}))) {
      if (name.startsWith('@types/')) continue
      if (texts.some(({ text }) => text.includes(name))) continue
      const line = file.text.slice(0, file.text.indexOf(`"${name}"`)).split('\n').length
      found.push(
        finding(
          'unused-dependency',
          file,
          line,
          `nothing in ${workspace} names ${name}; remove it`,
          `${file.path}#${name}`,
        ),
      )
    }
  }
  return found
}

/** Strongly connected groups of more than one file, or of one that imports itself (Tarjan). */
const circlesIn = (nodes, next) => {
  const index = new Map()
  const low = new Map()
  const stack = []
  const groups = []
  const visit = (node) => {
    index.set(node, index.size)
    low.set(node, index.get(node))
    stack.push(node)
    for (const target of next(node)) {
      if (!index.has(target)) visit(target)
      if (stack.includes(target)) low.set(node, Math.min(low.get(node), low.get(target)))
    }
    if (low.get(node) !== index.get(node)) return
    const group = stack.splice(stack.indexOf(node))
    if (group.length > 1 || next(node).includes(node)) groups.push(group)
  }
  for (const node of nodes) if (!index.has(node)) visit(node)
  return groups
}

/** No file reaches itself through imports, not even through types. */
export const importCircles = (tree) => {
  const targets = (file) =>
    file.imports.map(({ specifier }) => tree.resolve(file, specifier)).filter((to) => to?.isCode)
  return circlesIn(
    tree.files.filter((file) => file.isCode),
    targets,
  ).map((group) => {
    const [first] = group
    const names = group
      .map(({ path }) => path)
      .sort()
      .join(', ')
    return finding(
      'import-circle',
      first,
      1,
      `in a circle of imports: ${names}; move what both need`,
    )
  })
}

/** `index.ts` is the face: only re-exports, and nobody inside looks at their own face. */
export const indexFiles = (tree) => {
  const found = []
  for (const file of tree.code) {
    if (file.name === 'index.ts' && file.isSource) {
      const strays = file.source.statements.filter(
        (node) => !node.moduleSpecifier || node.importClause,
      )
      for (const node of strays) {
        found.push(
          finding(
            'index-file',
            file,
            file.lineOf(node),
            'index.ts only re-exports; move this to a file of its own',
          ),
        )
      }
    }
    if (!file.isSource) continue
    for (const { specifier, line } of file.imports) {
      const target = tree.resolve(file, specifier)
      if (target?.name !== 'index.ts' || target.workspace !== file.workspace) continue
      found.push(
        finding(
          'index-file',
          file,
          line,
          'imports an index.ts from inside; import the file that declares it',
        ),
      )
    }
  }
  return found
}

export const GRAPH_RULES = [
  packageGraph,
  deepImports,
  pureProtocol,
  undeclaredImports,
  unusedDependencies,
  importCircles,
  indexFiles,
  deadFiles,
]
