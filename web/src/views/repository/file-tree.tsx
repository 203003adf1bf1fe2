import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type MouseEvent, useEffect, useId, useRef, useState } from 'react'
import { toTreeAction } from './tree-keys.ts'
import { TreeRowLine } from './tree-row-line.tsx'
import type { TreeRow } from './tree-rows.ts'

interface FileTreeProps {
  readonly rows: readonly TreeRow[]
  /** The file that is shown beside the tree. */
  readonly chosen: string
  /** What differs from the last commit, as a letter and a word, by path. */
  readonly changes: ReadonlyMap<string, { readonly letter: string; readonly word: string }>
  readonly onToggle: (folder: string, isOpen: boolean) => void
  readonly onChoose: (path: string) => void
}

const ROW_PIXELS = 32

/**
 * The tree pattern of the ARIA practices: one stop of the tab key, arrows from line to line, right and left to open and to
 * close. Only lines that are seen exist, so the current one is named to the screen reader and not focused itself.
 */
export function FileTree({ rows, chosen, changes, onToggle, onChoose }: FileTreeProps) {
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const [current, setCurrent] = useState<string | undefined>(chosen === '' ? undefined : chosen)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 12,
  })
  const currentIndex = rows.findIndex((row) => row.kind === 'entry' && row.entry.path === current)
  const active = currentIndex === -1 ? undefined : currentIndex
  useEffect(() => {
    if (active !== undefined) virtual.scrollToIndex(active, { align: 'auto' })
  }, [active, virtual])

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const action = toTreeAction(event.key, rows, current)
    if (action === undefined) return
    event.preventDefault()
    setCurrent(action.path)
    if (action.what === 'choose') onChoose(action.path)
    else if (action.what !== 'go') onToggle(action.path, action.what === 'open')
  }

  const onClick = ({ target }: MouseEvent) => {
    const line = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null
    const row = line === null ? undefined : rows[Number(line.dataset.index)]
    if (row?.kind !== 'entry') return
    const { path, kind } = row.entry
    setCurrent(path)
    if (kind === 'folder') onToggle(path, !row.isOpen)
    else onChoose(path)
  }

  return (
    <div ref={scroller} className="tree-scroller">
      <div
        role="tree"
        aria-label="Files"
        tabIndex={0}
        className="tree"
        aria-activedescendant={active === undefined ? undefined : `${id}-${active}`}
        style={{ height: virtual.getTotalSize() }}
        onKeyDown={onKeyDown}
        onClick={onClick}
        onFocus={() => {
          const first = rows.find((row) => row.kind === 'entry')
          if (active === undefined && first?.kind === 'entry') setCurrent(first.entry.path)
        }}
      >
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const row = rows[index]
          if (row === undefined) return null
          return (
            <TreeRowLine
              key={key}
              id={`${id}-${index}`}
              index={index}
              row={row}
              top={start}
              isCurrent={index === active}
              isChosen={row.kind === 'entry' && row.entry.path === chosen}
              change={row.kind === 'entry' ? changes.get(row.entry.path) : undefined}
            />
          )
        })}
      </div>
    </div>
  )
}
