import { useState } from 'react'
import { Button } from '../../components/button.tsx'
import { EmptyState } from '../../components/states.tsx'
import { Table } from '../../components/table.tsx'
import { toCount } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import { ComplexityMap } from './complexity-map.tsx'
import { scaleSteps } from './complexity-scale.ts'
import type { MappedFile } from './sarif-report.ts'

const ROWS_FIRST = 25

/** How large and how complex the files are: as a map, and as a table of the same. */
export function ComplexityPanel({ files }: { readonly files: readonly MappedFile[] }) {
  const [folder, setFolder] = useState('')
  const [shown, setShown] = useState(ROWS_FIRST)
  if (files.length === 0) {
    return (
      <EmptyState title="This report has no figures of files">
        <p>Run the validations again: reports keep them from then on.</p>
      </EmptyState>
    )
  }
  const inside = files.filter(({ path }) => folder === '' || path.startsWith(`${folder}/`))
  const worst = inside.toSorted(
    (one, other) => (other.cognitive ?? -1) - (one.cognitive ?? -1) || other.lines - one.lines,
  )
  return (
    <>
      <div className="map-head">
        <Crumbs folder={folder} onOpen={setFolder} />
        <Legend />
      </div>
      <ComplexityMap files={files} folder={folder} onOpen={setFolder} />
      <Table
        caption={`The most complex of ${toCount(inside.length)} files: cognitive and cyclomatic complexity of the worst function`}
        isCaptionHidden={false}
        rows={worst.slice(0, shown)}
        keyOf={({ path }) => path}
        columns={[
          { title: 'File', cell: ({ path }) => <a href={toHash('quality', 'file', path)}>{path}</a> },
          { title: 'Cognitive', isNumber: true, cell: ({ cognitive }) => cognitive ?? '–' },
          { title: 'Cyclomatic', isNumber: true, isWideOnly: true, cell: ({ cyclomatic }) => cyclomatic ?? '–' },
          { title: 'Functions', isNumber: true, isWideOnly: true, cell: ({ functions }) => functions ?? '–' },
          { title: 'Lines', isNumber: true, cell: ({ lines }) => toCount(lines) },
        ]}
      />
      {worst.length > shown && (
        <p className="finding-more">
          <Button onClick={() => setShown(shown + 4 * ROWS_FIRST)}>Show more</Button>
        </p>
      )}
    </>
  )
}

interface CrumbsProps {
  readonly folder: string
  readonly onOpen: (folder: string) => void
}

function Crumbs({ folder, onOpen }: CrumbsProps) {
  const names = folder === '' ? [] : folder.split('/')
  return (
    <nav className="crumbs" aria-label="Folder of the map">
      <Button look="quiet" disabled={folder === ''} onClick={() => onOpen('')}>
        Repository
      </Button>
      {names.map((name, index) => {
        const path = names.slice(0, index + 1).join('/')
        return (
          <span key={path}>
            <span aria-hidden="true">/</span>
            <Button look="quiet" disabled={path === folder} onClick={() => onOpen(path)}>
              {name}
            </Button>
          </span>
        )
      })}
    </nav>
  )
}

const Legend = () => (
  <ul className="legend" aria-label="Colours: cognitive complexity of a file's worst function">
    {scaleSteps.map(({ name }, step) => (
      <li key={name}>
        <span className={`legend-swatch swatch-${step}`} />
        {name}
      </li>
    ))}
    <li>
      <span className="legend-swatch swatch-none" />
      no code
    </li>
  </ul>
)
