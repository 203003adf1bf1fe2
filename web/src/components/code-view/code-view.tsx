import { EditorState } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { Button } from '../button.tsx'
import { readOnlyText } from './code-look.ts'
import { finding, findText, goToHit, type Hit } from './find-in-text.ts'
import { openShadow } from './shadow-host.ts'
import './code-view.css'

interface CodeViewProps {
  /** Its ending decides about the colours. */
  readonly path: string
  readonly text: string
}

/** A file to read: with colours, line numbers, and a search. Heavy: load it late. */
export default function CodeView({ path, text }: CodeViewProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const [wanted, setWanted] = useState('')
  const [hit, setHit] = useState<Hit | null>(null)
  useEffect(() => {
    if (host.current === null) return
    const root = openShadow(host.current)
    const extensions = [readOnlyText(path, `Text of ${path}`), lineNumbers(), finding]
    const made = new EditorView({ state: EditorState.create({ doc: text, extensions }), parent: root, root })
    view.current = made
    return () => made.destroy()
  }, [path, text])

  const look = (next: string) => {
    setWanted(next)
    view.current?.dispatch({ effects: findText.of(next), selection: { anchor: 0 } })
    setHit(view.current === null ? null : goToHit(view.current, next, 1))
  }
  const go = (direction: 1 | -1) => setHit(view.current === null ? null : goToHit(view.current, wanted, direction))
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
