import type { Row } from './row.ts'

export interface FigureContext {
  readonly quick: boolean
  /** Aborts when a person stops the command. */
  readonly signal: AbortSignal
  /** Says what is being done; the table comes at the end. */
  readonly log: (line: string) => void
}

/** Measures one group of figures. Leaves no process and no folder behind, also where it rejects. */
export type Figure = (context: FigureContext) => Promise<Row[]>
