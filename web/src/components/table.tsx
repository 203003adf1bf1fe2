import type { ReactNode } from 'react'
import './table.css'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ReactNode
  /** Figures stand under each other by their digits. */
  readonly isNumber?: boolean
  /** Left out on a narrow screen. */
  readonly isWideOnly?: boolean
}

interface TableProps<Row> {
  readonly caption: string
  /** Whether the caption is for screen readers only. */
  readonly isCaptionHidden?: boolean
  /** The first names the row. */
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
}

/** Rows of facts. For lists without bounds see the virtual list of the agents. */
export function Table<Row>({ caption, isCaptionHidden = true, columns, rows, keyOf }: TableProps<Row>) {
  return (
    <table className="table">
      <caption className={isCaptionHidden ? 'visually-hidden' : ''}>{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.title} scope="col" className={classOf(column)}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column, index) =>
              index === 0 ? (
                <th key={column.title} scope="row" className={classOf(column)}>
                  {column.cell(row)}
                </th>
              ) : (
                <td key={column.title} className={classOf(column)}>
                  {column.cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const classOf = <Row,>({ isNumber, isWideOnly }: Column<Row>): string =>
  [isNumber === true ? 'number' : '', isWideOnly === true ? 'wide-only' : ''].filter(Boolean).join(' ')
