import type { TreeRow } from './tree-rows.ts'

interface TreeRowLineProps {
  readonly id: string
  readonly index: number
  readonly row: TreeRow
  /** From the top of the tree, in pixels. */
  readonly top: number
  /** Where the keyboard is. */
  readonly isCurrent: boolean
  readonly isChosen: boolean
  readonly change: { readonly letter: string; readonly word: string } | undefined
}

const INDENT_REM = 1.1

/** One line of the tree. Keys and clicks are heard by the tree around it, which finds the line by `data-index`. */
export function TreeRowLine({ id, index, row, top, isCurrent, isChosen, change }: TreeRowLineProps) {
  const place = { transform: `translateY(${top}px)`, paddingInlineStart: `${row.level * INDENT_REM - 0.5}rem` }
  if (row.kind === 'note') {
    return (
      <div className="tree-row tree-note" style={place} role="treeitem" tabIndex={-1} aria-level={row.level}>
        {row.text}
      </div>
    )
  }
  const { entry, name, isOpen, level, position, setSize } = row
  const isFolder = entry.kind === 'folder'
  return (
    <div
      id={id}
      role="treeitem"
      tabIndex={-1}
      className="tree-row"
      data-index={index}
      data-kind={entry.kind}
      data-current={isCurrent}
      aria-level={level}
      aria-posinset={position}
      aria-setsize={setSize}
      aria-selected={isChosen}
      aria-expanded={isFolder ? isOpen : undefined}
      style={place}
    >
      <span className="tree-turn" aria-hidden="true">
        {isFolder ? '▸' : ''}
      </span>
      <span className="tree-name">{name}</span>
      {entry.kind === 'link' && <span className="tree-owner">link</span>}
      {entry.owner !== null && (
        <span className="tree-owner">
          <span className="visually-hidden">, owned by </span>
          {entry.owner}
        </span>
      )}
      {change !== undefined && (
        <span className="tree-change" data-change={change.letter}>
          <span aria-hidden="true">{change.letter}</span>
          <span className="visually-hidden">, {change.word}</span>
        </span>
      )}
    </div>
  )
}
