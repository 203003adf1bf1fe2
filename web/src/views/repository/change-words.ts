import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { gitStatus } from '#shared/tools/git.ts'

export type ChangedFile = ToolOutput<typeof gitStatus>['files'][number]

/** How a file differs from the last commit, in a word and a letter. */
export interface ChangeKind {
  readonly letter: string
  readonly word: 'new' | 'changed' | 'deleted' | 'renamed' | 'in conflict' | 'of another kind'
  /** It is staged, at least in part. */
  readonly isStaged: boolean
}

const words: Readonly<Record<string, ChangeKind['word']>> = {
  M: 'changed',
  A: 'new',
  D: 'deleted',
  R: 'renamed',
  C: 'new',
  T: 'of another kind',
  '?': 'new',
}

/** Git's two letters for people. Both sides added or deleted, or a `U` on either, is a conflict of a merge. */
export function toChangeKind({ index, worktree }: Pick<ChangedFile, 'index' | 'worktree'>): ChangeKind {
  const isUnmerged = index === 'U' || worktree === 'U' || (index === worktree && (index === 'A' || index === 'D'))
  if (isUnmerged) return { letter: 'U', word: 'in conflict', isStaged: false }
  const isIndexed = !unchanged.has(index) && index !== '?'
  // Gone from the disk is what counts, whatever was staged of it; else new is new also where it was changed since.
  const letter = worktree === 'D' || !isIndexed || index === 'M' ? (unchanged.has(worktree) ? index : worktree) : index
  return { letter: letter === '?' ? 'N' : letter, word: words[letter] ?? 'changed', isStaged: isIndexed }
}

const unchanged: ReadonlySet<string> = new Set([' ', '.'])
