import { useRef } from 'react'
import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { type MapDraft, nextKey, startDraft } from './draft.ts'
import { FieldMark } from './field-mark.tsx'
import { toHint } from './field-words.ts'
import type { Plan } from './plan.ts'
import type { HoldsFields, SchemaFieldProps } from './schema-field-props.ts'
import { useFocusNew } from './use-focus-new.ts'

interface MapFieldProps extends SchemaFieldProps, HoldsFields {
  readonly label: string
  readonly plan: Extract<Plan, { kind: 'map' }>
  readonly draft: MapDraft
}

/** Values under names that the person gives. */
export function MapField({ Inner, name, label, plan, draft, isRequired, path, problems, onChange }: MapFieldProps) {
  const list = useRef<HTMLUListElement>(null)
  const { entries } = draft
  const focusNew = useFocusNew(list, entries.length)
  const hint = [
    toHint(plan) ?? [],
    plan.value.kind === 'any' ? 'A value is JSON, or else text as it stands' : [],
  ].flat()
  const set = (next: MapDraft['entries']) => onChange({ kind: 'map', entries: next })
  return (
    <fieldset className="form-group">
      <legend>
        {label} <FieldMark name={name} isRequired={isRequired} />
      </legend>
      {hint.length > 0 && <p className="field-hint">{hint.join('. ')}</p>}
      {entries.length > 0 && (
        <ul className="plain-list form-items" ref={list}>
          {entries.map((entry, index) => (
            <li key={entry.key} className="form-item">
              <div className="form-item-field form-entry">
                <Field label={`Name ${index + 1}`}>
                  {(control) => (
                    <input
                      {...control}
                      type="text"
                      autoComplete="off"
                      spellCheck={false}
                      value={entry.name}
                      onChange={({ target }) => set(entries.with(index, { ...entry, name: target.value }))}
                    />
                  )}
                </Field>
                <Inner
                  name="value"
                  label={`Value ${index + 1}`}
                  plan={plan.value}
                  draft={entry.draft}
                  isRequired
                  path={`${path}.${entry.name}`}
                  problems={problems}
                  onChange={(next) => set(entries.with(index, { ...entry, draft: next }))}
                />
              </div>
              <div className="form-item-actions">
                <Button
                  look="quiet"
                  aria-label={`Remove ${entry.name === '' ? `entry ${index + 1}` : entry.name}`}
                  onClick={() => set(entries.toSpliced(index, 1))}
                >
                  ✕
                </Button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {problems.has(path) && <p className="field-error">{problems.get(path)}</p>}
      <Button
        className="form-add"
        disabled={entries.length >= plan.max}
        onClick={() => {
          focusNew()
          set([...entries, { key: nextKey(), name: '', draft: startDraft(plan.value, true) }])
        }}
      >
        Add to {label.toLowerCase()}
      </Button>
    </fieldset>
  )
}
