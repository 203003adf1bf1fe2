import { type ReactNode, useId } from 'react'
import './field.css'

/** What the control inside must carry, so that label, hint and error belong to it. */
export interface ControlProps {
  readonly id: string
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': boolean
}

interface FieldProps {
  readonly label: string
  /** Beside the label, for the eye only. */
  readonly mark?: ReactNode
  readonly hint?: string | undefined
  /** What is wrong with what stands there now. */
  readonly error?: string | undefined
  readonly children: (control: ControlProps) => ReactNode
}

export function Field({ label, mark, hint, error, children }: FieldProps) {
  const id = useId()
  const notes = [hint === undefined ? [] : [`${id}-hint`], error === undefined ? [] : [`${id}-error`]].flat()
  return (
    <div className="field">
      {mark === undefined ? (
        <label htmlFor={id}>{label}</label>
      ) : (
        <div className="field-head">
          <label htmlFor={id}>{label}</label>
          <span aria-hidden="true">{mark}</span>
        </div>
      )}
      {children({
        id,
        'aria-describedby': notes.length === 0 ? undefined : notes.join(' '),
        'aria-invalid': error !== undefined,
      })}
      {hint !== undefined && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  )
}
