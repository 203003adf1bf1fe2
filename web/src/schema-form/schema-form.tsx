import type { GroupDraft } from './draft.ts'
import { GroupFields } from './group-fields.tsx'
import type { GroupPlan } from './plan.ts'
import { SchemaField } from './schema-field.tsx'

interface SchemaFormProps {
  readonly plan: GroupPlan
  readonly draft: GroupDraft
  /** What is wrong, by path. */
  readonly problems: ReadonlyMap<string, string>
  readonly onChange: (draft: GroupDraft) => void
}

/** The fields of a whole form; the `form` element and its buttons are the caller's. */
export const SchemaForm = (props: SchemaFormProps) => <GroupFields {...props} path="" Inner={SchemaField} />
