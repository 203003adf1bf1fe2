import { type FormEvent, useState } from 'react'
import * as v from 'valibot'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'

export interface AgentFieldValues {
  agent_id: string
  name: string
  managed_file: string
  system_prompt: string
  model: string
}

interface AgentFormProps {
  readonly start: AgentFieldValues
  /** Whether the id is given and cannot change. */
  readonly isKnown: boolean
  readonly submitLabel: string
  readonly busy: boolean
  /** What the server has said of the last attempt. */
  readonly problem: string | undefined
  /** The arguments' schema: says what is wrong before anything is sent. */
  readonly schema: v.GenericSchema<unknown, Record<string, unknown>>
  readonly onSubmit: (values: AgentFieldValues) => void
  readonly onCancel: () => void
}

const fields = [
  ['agent_id', 'Agent ID', 'Letters, digits, dashes and underscores. It never changes.'],
  ['name', 'Name', undefined],
  ['managed_file', 'File', 'The path of the one file that the agent writes, existing or new.'],
  ['system_prompt', 'System prompt', undefined],
  ['model', 'Model', "Left empty: the worker's default."],
] as const

/** An empty field is one that was left out. */
export const withoutEmpty = (values: AgentFieldValues): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))

export function AgentForm(props: AgentFormProps) {
  const [values, setValues] = useState(props.start)
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({})

  function submit(event: FormEvent): void {
    event.preventDefault()
    const parsed = v.safeParse(props.schema, withoutEmpty(values))
    const found = (parsed.issues ?? []).map((issue): [string, string] => {
      const name = v.getDotPath(issue) ?? ''
      return [name, values[name as keyof AgentFieldValues] === '' ? 'Is needed' : sentence(issue.message)]
    })
    setErrors(Object.fromEntries(found))
    if (parsed.success) props.onSubmit(values)
  }

  return (
    <form className="stack" onSubmit={submit} noValidate>
      {fields
        .filter(([name]) => name !== 'agent_id' || !props.isKnown)
        .map(([name, label, hint]) => (
          <Field key={name} label={label} hint={hint} error={errors[name]}>
            {(control) => {
              const given = { ...control, name, value: values[name], spellCheck: name === 'system_prompt' }
              const onChange = (event: { target: { value: string } }) =>
                setValues({ ...values, [name]: event.target.value })
              return name === 'system_prompt' ? (
                <textarea {...given} onChange={onChange} />
              ) : (
                <input {...given} type="text" autoComplete="off" onChange={onChange} />
              )
            }}
          </Field>
        ))}
      {props.problem !== undefined && (
        <p className="field-error" role="alert">
          {props.problem}
        </p>
      )}
      <div className="dialog-buttons">
        <Button onClick={props.onCancel}>Cancel</Button>
        <Button type="submit" look="primary" busy={props.busy}>
          {props.submitLabel}
        </Button>
      </div>
    </form>
  )
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
