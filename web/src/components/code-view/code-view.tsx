import { EditorState } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { Button } from '../button.tsx'
import { readOnlyText } from './code-look.ts'
import { countHits, finding, findText, goToHit, type Hit } from './find-in-text.ts'
import { openShadow } from './shadow-host.ts'
import './code-view.css'

interface CodeViewProps {
  /** Its ending decides about the colours. */
  readonly path: string
  /** Another text takes the place of the one before; one that goes on where that ended leaves the reader where they are. */
  readonly text: string
}

/** A file to read: with colours, line numbers, and a search. Heavy: load it late. */
export default function CodeView({ path, text }: CodeViewProps) {
  const host = useRef<HTMLDivElement>(null)
  const [view, setView] = useState<EditorView | null>(null)
  const [wanted, setWanted] = useState('')
  const [hit, setHit] = useState<Hit | null>(null)
  useEffect(() => {
    if (host.current === null) return
    const root = openShadow(host.current)
    const extensions = [readOnlyText(path, `Text of ${path}`), lineNumbers(), finding]
    const made = new EditorView({ state: EditorState.create({ extensions }), parent: root, root })
    setView(made)
    setWanted('')
    return () => made.destroy()
  }, [path])
  useEffect(() => {
    if (view === null) return
    showText(view, text)
    const count = countHits(view)
    setHit((before) => (count === 0 ? null : { index: Math.min(before?.index ?? 0, count - 1), count }))
  }, [view, text])

  const look = (next: string) => {
    setWanted(next)
    view?.dispatch({ effects: findText.of(next), selection: { anchor: 0 } })
    setHit(view === null ? null : goToHit(view, next, 1))
  }
  const go = (direction: 1 | -1) => setHit(view === null ? null : goToHit(view, wanted, direction))
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    go(event.shiftKey ? -1 : 1)
  }
  return (
    <div className="code-view">
      <search className="code-view-find">
        <input
          type="search"
          aria-label={`Search in ${path}`}
          placeholder="Search in the file"
          value={wanted}
          onChange={(event) => look(event.target.value)}
          onKeyDown={onKey}
        />
        <Button look="quiet" aria-label="Previous hit" disabled={hit === null} onClick={() => go(-1)}>
          ↑
        </Button>
        <Button look="quiet" aria-label="Next hit" disabled={hit === null} onClick={() => go(1)}>
          ↓
        </Button>
        <span role="status" className="soft">
          {wanted === '' ? '' : hit === null ? 'Not found' : `${hit.index + 1} of ${hit.count}`}
        </span>
      </search>
      <div ref={host} className="code-view-text" />
    </div>
  )
}

function showText(view: EditorView, text: string): void {
  const before = view.state.doc.toString()
  const from = text.startsWith(before) ? before.length : 0
  view.dispatch({ changes: { from, to: before.length, insert: text.slice(from) } })
}
