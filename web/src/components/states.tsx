import type { ReactNode } from 'react'
import { AppError } from '#shared/errors.ts'
import { Button } from './button.tsx'
import { Spinner } from './spinner.tsx'
import './states.css'

interface EmptyStateProps {
  readonly title: string
  readonly children?: ReactNode
}

/** There is nothing, and that is in order. */
export const EmptyState = ({ title, children }: EmptyStateProps) => (
  <div className="state" role="status">
    <p className="state-title">{title}</p>
    {children}
  </div>
)

interface ErrorStateProps {
  readonly error: unknown
  readonly onRetry?: (() => void) | undefined
}

/** Something could not be had: what, and what to do. */
export function ErrorState({ error, onRetry }: ErrorStateProps) {
  const hint = error instanceof AppError ? error.hint : undefined
  return (
    <div className="state state-error" role="alert">
      <p className="state-title">{error instanceof Error ? error.message : String(error)}</p>
      {hint !== undefined && <p>{hint}</p>}
      {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
    </div>
  )
}

export const LoadingState = ({ children }: { readonly children: string }) => (
  <div className="state" role="status">
    <p>
      <Spinner /> {children}
    </p>
  </div>
)
