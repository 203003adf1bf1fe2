import { MergeView, unifiedMergeView } from '@codemirror/merge'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { useEffect, useMemo, useRef } from 'react'
import { useStore } from '../../state/use-store.ts'
import { readOnlyText } from '../code-view/code-look.ts'
import { openShadow } from '../code-view/shadow-host.ts'
import { chooseDiffLook, diffLook } from './diff-look.ts'
import { type DiffSide, type DiffSides, toSides } from './diff-sides.ts'
import { useIsNarrow } from './use-is-narrow.ts'
import '../code-view/code-view.css'
import '../segments.css'
import './diff-view.css'

interface DiffViewProps {
  readonly path: string
  /** A unified diff of this one file. */
  readonly diff: string
  /** The diff was cut because of its length. */
  readonly truncated: boolean
}

/** A change, side by side or inline as the person likes it. Heavy: load it late. */
export default function DiffView({ path, diff, truncated }: DiffViewProps) {
  const host = useRef<HTMLDivElement>(null)
  const chosen = useStore(diffLook())
  const isNarrow = useIsNarrow()
  const look = isNarrow ? 'inline' : chosen
  const sides = useMemo(() => toSides(diff), [diff])
  useEffect(() => {
    if (host.current === null) return
    const root = openShadow(host.current)
    const view = look === 'inline' ? showInline(root, path, sides) : showSides(root, path, sides)
    return () => view.destroy()
  }, [path, sides, look])
  return (
    <figure className="diff-view" aria-label={`Change of ${path}`}>
      <figcaption className="row diff-view-head">
        <code>{path}</code>
        <span className="diff-view-counts">
          <span className="diff-added">
            +{sides.insertions}
            <span className="visually-hidden"> lines added</span>
          </span>{' '}
          <span className="diff-removed">
            −{sides.deletions}
            <span className="visually-hidden"> lines removed</span>
          </span>
        </span>
        <fieldset className="segments" hidden={isNarrow}>
          <legend className="visually-hidden">How to show changes</legend>
          {(['side_by_side', 'inline'] as const).map((name) => (
            <button key={name} type="button" aria-pressed={look === name} onClick={() => chooseDiffLook(name)}>
              {name === 'inline' ? 'Inline' : 'Side by side'}
            </button>
          ))}
        </fieldset>
      </figcaption>
      <div ref={host} className="diff-view-text" data-look={look} />
      {truncated && <p className="soft">The change is longer than what is shown here: look at the file.</p>}
    </figure>
  )
}

const numbered = ({ numbers }: DiffSide): Extension =>
  lineNumbers({ formatNumber: (line) => String(numbers[line - 1] ?? '') })

const textOf = (side: DiffSide, path: string, when: string): Extension => [
  readOnlyText(path, `${path} ${when}`),
  numbered(side),
  EditorView.lineWrapping,
]

function showSides(root: ShadowRoot, path: string, { before, after }: DiffSides): MergeView {
  return new MergeView({
    a: { doc: before.text, extensions: textOf(before, path, 'before') },
    b: { doc: after.text, extensions: textOf(after, path, 'after') },
    parent: root,
    root,
    gutter: false,
  })
}

function showInline(root: ShadowRoot, path: string, { before, after }: DiffSides): EditorView {
  const merge = unifiedMergeView({ original: before.text, mergeControls: false, gutter: false })
  const extensions = [textOf(after, path, 'with its change'), merge]
  return new EditorView({ state: EditorState.create({ doc: after.text, extensions }), parent: root, root })
}
