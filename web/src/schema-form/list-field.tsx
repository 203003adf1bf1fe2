import { useRef } from 'react'
import { Button } from '../components/button.tsx'
import { type ListDraft, nextKey, startDraft } from './draft.ts'
import { FieldMark } from './field-mark.tsx'
import { toHint } from './field-words.ts'
import type { Plan } from './plan.ts'
import type { HoldsFields, SchemaFieldProps } from './schema-field-props.ts'
import { useFocusNew } from './use-focus-new.ts'

interface ListFieldProps extends SchemaFieldProps, HoldsFields {
  readonly label: string
  readonly plan: Extract<Plan, { kind: 'list' }>
  readonly draft: ListDraft
}

/** Items that can be added, taken away and moved. */
export function ListField({ Inner, name, label, plan, draft, isRequired, path, problems, onChange }: ListFieldProps) {
  const list = useRef<HTMLOListElement>(null)
  const { items } = draft
  const focusNew = useFocusNew(list, items.length)
  const hint = toHint(plan)
  const set = (next: ListDraft['items']) => onChange({ kind: 'list', items: next })
  const move = (from: number, to: number) => {
    const [moved] = items.slice(from, from + 1)
    if (moved !== undefined) set(items.toSpliced(from, 1).toSpliced(to, 0, moved))
  }
  return (
    <fieldset className="form-group">
      <legend>
        {label} <FieldMark name={name} isRequired={isRequired} />
      </legend>
      {hint !== undefined && <p className="field-hint">{hint}</p>}
      {items.length > 0 && (
        <ol className="plain-list form-items" ref={list}>
          {items.map((item, index) => {
            const own = `${label} ${index + 1}`
            return (
              <li key={item.key} className="form-item">
                <div className="form-item-field">
                  <Inner
                    name={name}
                    label={own}
                    plan={plan.item}
                    draft={item.draft}
                    isRequired
                    path={`${path}.${index}`}
                    problems={problems}
                    onChange={(next) => set(items.with(index, { ...item, draft: next }))}
                  />
                </div>
                <div className="form-item-actions">
                  <Button
                    look="quiet"
                    aria-label={`Move ${own} up`}
                    disabled={index === 0}
                    onClick={() => move(index, index - 1)}
                  >
                    ↑
                  </Button>
                  <Button
                    look="quiet"
                    aria-label={`Move ${own} down`}
                    disabled={index === items.length - 1}
                    onClick={() => move(index, index + 1)}
                  >
                    ↓
                  </Button>
                  <Button look="quiet" aria-label={`Remove ${own}`} onClick={() => set(items.toSpliced(index, 1))}>
                    ✕
                  </Button>
                </div>
              </li>
            )
          })}
        </ol>
      )}
      {problems.has(path) && <p className="field-error">{problems.get(path)}</p>}
      <Button
        className="form-add"
        disabled={items.length >= plan.max}
        onClick={() => {
          focusNew()
          set([...items, { key: nextKey(), draft: startDraft(plan.item, true) }])
        }}
      >
        Add to {label.toLowerCase()}
      </Button>
    </fieldset>
  )
}
