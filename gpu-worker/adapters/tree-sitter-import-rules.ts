import type { Node } from 'web-tree-sitter'

/** A name that an import brings into the file. */
export interface ImportedName {
  readonly name: string
  readonly line: number
  /** Other names by which it may be used: the name of a Go package is not in its path. */
  readonly others?: readonly string[]
  /** Not judged where the file uses names that nothing in it explains. */
  readonly isGuess?: boolean
}

/** What a walk over a file has seen. Rows count from 0. */
export interface SeenNames {
  readonly used: Set<string>
  /** Rows on which a person has said that what is unused may stay. */
  readonly excusedRows: Set<number>
  /** Names that must come from somewhere, and that no other node of the file mentions. */
  readonly qualifiers: Set<string>
  isExcused: boolean
}

export interface ImportRules {
  /** The names that a node imports; null for a node that is no import, and is looked into. */
  importedBy(node: Node): readonly ImportedName[] | null
  /** Notes what a node says, and answers which of its parts are to be looked at; all of them where it answers null. */
  see(node: Node, seen: SeenNames): readonly Node[] | null
  /** Nodes in which an import may go unused, up to a function: it asks what is installed, or makes an attribute of a class. */
  readonly free?: ReadonlySet<string>
}

/** The names that stand in a text. */
export const namesIn = (text: string): readonly string[] => text.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []
