import { Field } from '../components/field.tsx'
import { startDraft } from './draft.ts'
import { FieldMark } from './field-mark.tsx'
import { textLook, toHint, toLabel } from './field-words.ts'
import { GroupFields } from './group-fields.tsx'
import { ListField } from './list-field.tsx'
import { MapField } from './map-field.tsx'
import type { Plan } from './plan.ts'
import type { SchemaFieldProps } from './schema-field-props.ts'
import './schema-form.css'

/** One value of a form, whatever its schema: a control, or a group of more fields. */
export function SchemaField(props: SchemaFieldProps) {
  const { name, plan, draft, isRequired, path, problems, onChange } = props
  const label = props.label ?? toLabel(name)
  const mark = props.label === undefined && <FieldMark name={name} isRequired={isRequired} />
  if (typeof draft !== 'string') {
    if (plan.kind === 'list' && draft.kind === 'list') {
      return <ListField {...props} Inner={SchemaField} label={label} plan={plan} draft={draft} />
    }
    if (plan.kind === 'map' && draft.kind === 'map') {
      return <MapField {...props} Inner={SchemaField} label={label} plan={plan} draft={draft} />
    }
    if (plan.kind === 'group' && draft.kind === 'group') {
      return (
        <fieldset className="form-group">
          <legend>
            {label} {mark}
          </legend>
          {plan.description !== undefined && <p className="field-hint">{plan.description}</p>}
          <GroupFields
            Inner={SchemaField}
            plan={plan}
            draft={draft}
            path={path}
            problems={problems}
            onChange={onChange}
          />
          {problems.has(path) && <p className="field-error">{problems.get(path)}</p>}
        </fieldset>
      )
    }
    if (plan.kind === 'union' && draft.kind === 'union') {
      const chosen = plan.options[draft.chosen]
      return (
        <div className="stack">
          <Field label={`${label}: form`}>
            {(control) => (
              <select
                {...control}
                value={draft.chosen}
                onChange={({ target }) => {
                  const option = plan.options[Number(target.value)]
                  if (option === undefined) return
                  onChange({ kind: 'union', chosen: Number(target.value), draft: startDraft(option.plan, isRequired) })
                }}
              >
                {plan.options.map((option, index) => (
                  <option key={option.label} value={index}>
                    {option.label}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {chosen !== undefined && (
            <SchemaField
              {...props}
              plan={chosen.plan}
              draft={draft.draft}
              onChange={(inner) => onChange({ ...draft, draft: inner })}
            />
          )}
        </div>
      )
    }
    return null
  }
  return (
    <Field label={label} mark={mark} hint={toHint(plan)} error={problems.get(path)}>
      {(control) => {
        const given = {
          ...control,
          name: path,
          value: draft,
          required: isRequired,
          autoComplete: 'off',
          onChange: (event: { readonly target: { readonly value: string } }) => onChange(event.target.value),
        }
        if (plan.kind === 'yes_no' || plan.kind === 'choice') return <ChoiceControl {...given} plan={plan} />
        if (plan.kind === 'number') return <input {...given} type="text" inputMode="decimal" />
        if (plan.kind === 'any') return <textarea {...given} className="code-input form-any" spellCheck={false} />
        const look = plan.kind === 'text' && plan.pattern === undefined ? textLook(name, plan.max) : 'line'
        if (look === 'line') return <input {...given} type="text" spellCheck={false} />
        return <textarea {...given} className={look === 'code' ? 'code-input' : ''} spellCheck={look === 'long'} />
      }}
    </Field>
  )
}

interface ChoiceControlProps {
  readonly plan: Extract<Plan, { kind: 'yes_no' | 'choice' }>
  readonly required: boolean
  readonly value: string
  readonly onChange: (event: { readonly target: { readonly value: string } }) => void
}

function ChoiceControl({ plan, ...given }: ChoiceControlProps) {
  const options: readonly (readonly [value: string, text: string])[] =
    plan.kind === 'yes_no'
      ? [
          ['true', 'Yes'],
          ['false', 'No'],
        ]
      : plan.options.map((option, index) => [
          String(index),
          typeof option === 'string' ? option : JSON.stringify(option),
        ])
  return (
    <select {...given}>
      {(!given.required || given.value === '') && <option value="">{given.required ? 'Choose…' : 'Not set'}</option>}
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  )
}
