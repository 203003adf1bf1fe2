import type { ComponentType } from 'react'
import type { Draft } from './draft.ts'
import type { Plan } from './plan.ts'

export interface SchemaFieldProps {
  /** The name of the property; items have that of their list. */
  readonly name: string
  /** The name in words; made from `name` where left out. */
  readonly label?: string
  readonly plan: Plan
  readonly draft: Draft
  readonly isRequired: boolean
  /** As issues name it. */
  readonly path: string
  /** What is wrong, by path. */
  readonly problems: ReadonlyMap<string, string>
  readonly onChange: (draft: Draft) => void
}

/** What fields that hold fields are given besides: how to show those. */
export interface HoldsFields {
  readonly Inner: ComponentType<SchemaFieldProps>
}
