import { type ReactNode, useId } from 'react'
import './panel.css'

interface PanelProps {
  readonly title: string
  /** Buttons beside the title. */
  readonly actions?: ReactNode
  readonly children: ReactNode
  /** Shown, and out of reach: for who is not signed in. */
  readonly disabled?: boolean
}

/** A part of a view with a title, which is a landmark of its own. */
export function Panel({ title, actions, children, disabled = false }: PanelProps) {
  const id = useId()
  return (
    <section className="panel" aria-labelledby={id} aria-disabled={disabled} inert={disabled}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {actions !== undefined && <div className="panel-actions">{actions}</div>}
      </header>
      <div className="panel-body">{children}</div>
    </section>
  )
}
