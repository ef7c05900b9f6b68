/**
 * The balanced layout of one file, built as its chunks arrive: all leaves at the same depth, `width`
 * children per node, a file of one chunk is its leaf. Twin of the importer's `balanced` layout, with
 * one difference: it keeps one row per level instead of all nodes of a level, so memory is
 * logarithmic in the file. Tests hold the two together.
 */
import type { DagNode, NodeWriter } from './node-writer.ts'

export class FileDag {
  readonly #writer: NodeWriter
  /** Nodes that wait for a parent, lowest level first. */
  readonly #rows: DagNode[][] = [[]]

  constructor(writer: NodeWriter) {
    this.#writer = writer
  }

  /** Chunks in file order, each of the profile's size but the last. An empty file has one empty chunk. */
  add(chunk: Uint8Array): void {
    this.#push(0, this.#writer.leaf(chunk))
  }

  /** The file's root. Call once, after at least one chunk. */
  finish(): DagNode {
    const only = this.#rows[0]?.[0]
    if (only !== undefined && this.#rows.length === 1 && this.#rows[0]?.length === 1) return only
    for (let level = 0; ; level++) {
      const parent = this.#writer.fileNode(this.#rows[level] ?? [])
      if (level === this.#rows.length - 1) return parent
      this.#push(level + 1, parent)
    }
  }

  /** A full row gets its parent only when one more node comes: the last row may be the root's. */
  #push(level: number, node: DagNode): void {
    const row = this.#rows[level]
    if (row === undefined) {
      this.#rows.push([node])
    } else if (row.length < this.#writer.profile.width) {
      row.push(node)
    } else {
      this.#rows[level] = [node]
      this.#push(level + 1, this.#writer.fileNode(row))
    }
  }
}
