import type { Draft, GroupDraft } from './draft.ts'
import type { GroupPlan } from './plan.ts'
import type { HoldsFields } from './schema-field-props.ts'

interface GroupFieldsProps extends HoldsFields {
  readonly plan: GroupPlan
  readonly draft: GroupDraft
  readonly path: string
  readonly problems: ReadonlyMap<string, string>
  readonly onChange: (draft: GroupDraft) => void
}

/** The fields of an object, those that are needed first. */
export function GroupFields({ Inner, plan, draft, path, problems, onChange }: GroupFieldsProps) {
  const ordered = [...plan.fields].sort((left, right) => Number(right.isRequired) - Number(left.isRequired))
  return (
    <div className="form-fields">
      {ordered.map(({ name, isRequired, plan: inner }) => (
        <Inner
          key={name}
          name={name}
          plan={inner}
          draft={draft.fields[name] ?? ''}
          isRequired={isRequired}
          path={path === '' ? name : `${path}.${name}`}
          problems={problems}
          onChange={(next: Draft) => onChange({ ...draft, fields: { ...draft.fields, [name]: next } })}
        />
      ))}
    </div>
  )
}
