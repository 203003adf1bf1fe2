import { useMemo } from 'react'
import { ScrollRegion } from './scroll-region.tsx'
import { type DiffRow, type FileDiff, readUnifiedDiff } from './unified-diff-rows.ts'
import './unified-diff.css'

interface UnifiedDiffProps {
  readonly diff: string
  readonly label: string
}

/** A diff with its lines numbered and coloured, each file under its name. */
export function UnifiedDiff({ diff, label }: UnifiedDiffProps) {
  const files = useMemo(() => readUnifiedDiff(diff), [diff])
  return (
    <section className="diff" aria-label={label}>
      {files.map((file, index) => (
        // A cut diff may have a file without a name, and nothing else tells two parts apart.
        <FileSection key={`${file.path} ${String(index)}`} file={file} />
      ))}
    </section>
  )
}

const changeWords = { changed: '', added: 'new', removed: 'deleted', renamed: 'renamed' } as const

function FileSection({ file }: { readonly file: FileDiff }) {
  const { path, change, rows, insertions, deletions } = file
  return (
    <div className="diff-file">
      <p className="diff-head">
        <code>{path}</code>
        {changeWords[change] !== '' && <span className="diff-change">{changeWords[change]}</span>}
        <span className="diff-counts">
          <span className="diff-plus">+{insertions}</span> <span className="diff-minus">−{deletions}</span>
        </span>
      </p>
      {rows.length > 0 && (
        <ScrollRegion className="diff-scroller" label={`Changes of ${path}`}>
          <table>
            <tbody>
              {rows.map((row, index) => (
                <Row key={`${String(index)} ${row.kind}`} row={row} />
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </div>
  )
}

function Row({ row: { kind, before, after, text } }: { readonly row: DiffRow }) {
  if (kind === 'place' || kind === 'note') {
    return (
      <tr data-kind={kind}>
        <td colSpan={3}>{text}</td>
      </tr>
    )
  }
  const Line = kind === 'added' ? 'ins' : kind === 'removed' ? 'del' : 'span'
  return (
    <tr data-kind={kind}>
      <td className="diff-number">{before}</td>
      <td className="diff-number">{after}</td>
      <td>
        <Line>{text}</Line>
      </td>
    </tr>
  )
}
