import type { ButtonHTMLAttributes } from 'react'
import { Spinner } from './spinner.tsx'
import './button.css'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** `primary`: the one thing to do here. `danger`: cannot be undone. */
  readonly look?: 'primary' | 'plain' | 'quiet' | 'danger'
  /** Shows that the work goes on, and takes no second click. */
  readonly busy?: boolean
}

export function Button({ look = 'plain', busy = false, disabled, children, className = '', ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={`button button-${look} ${className}`}
      disabled={disabled === true || busy}
      aria-busy={busy}
      {...rest}
    >
      {busy && <Spinner />}
      {children}
    </button>
  )
}
