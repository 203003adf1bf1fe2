import { useState } from 'react'
import type { FunctionComplexity } from '#shared/schemas/check.ts'
import { Button } from '../../components/button.tsx'
import { Table } from '../../components/table.tsx'
import { stepOf } from './complexity-scale.ts'

const ROWS_FIRST = 30

/** Functions, the most complex first. */
export function FunctionTable({ functions }: { readonly functions: readonly FunctionComplexity[] }) {
  const [shown, setShown] = useState(ROWS_FIRST)
  const worst = functions.toSorted((one, other) => other.cognitive - one.cognitive || other.lines - one.lines)
  return (
    <>
      <Table
        caption="Functions, the most complex first"
        rows={worst.slice(0, shown)}
        keyOf={({ name, line }) => `${line} ${name}`}
        columns={[
          { title: 'Function', cell: ({ name }) => <code>{name}</code> },
          { title: 'Line', isNumber: true, cell: ({ line }) => line },
          {
            title: 'Cognitive',
            isNumber: true,
            cell: ({ cognitive }) => (
              <span className="function-complexity">
                <span className={`legend-swatch swatch-${stepOf(cognitive)}`} />
                {cognitive}
              </span>
            ),
          },
          { title: 'Cyclomatic', isNumber: true, isWideOnly: true, cell: ({ cyclomatic }) => cyclomatic },
          { title: 'Nesting', isNumber: true, isWideOnly: true, cell: ({ nesting }) => nesting },
          { title: 'Parameters', isNumber: true, isWideOnly: true, cell: ({ parameters }) => parameters },
          { title: 'Lines', isNumber: true, isWideOnly: true, cell: ({ lines }) => lines },
        ]}
      />
      {worst.length > shown && <Button onClick={() => setShown(worst.length)}>Show all {worst.length}</Button>}
    </>
  )
}
