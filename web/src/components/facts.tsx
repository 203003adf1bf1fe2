import type { ReactNode } from 'react'
import './facts.css'

export interface Fact {
  readonly name: string
  readonly value: ReactNode
}

interface FactsProps {
  readonly facts: readonly Fact[]
  /** For the few figures that a view is about. */
  readonly isLarge?: boolean
}

/** Names with what they are, side by side. */
export const Facts = ({ facts, isLarge = false }: FactsProps) => (
  <dl className="facts">
    {facts.map(({ name, value }) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd className={isLarge ? 'fact-large' : ''}>{value}</dd>
      </div>
    ))}
  </dl>
)
