/** The face of the package; see README.md. */
export { importTree } from './unixfs/import-tree.ts'
