import { type KeyboardEvent, useState } from 'react'
import type { ListedTool } from '../../api/tools.ts'
import { Field } from '../../components/field.tsx'
import { groupTools } from './tool-groups.ts'

interface ToolPickerProps {
  readonly tools: readonly ListedTool[]
  readonly chosen: string
  readonly onChoose: (name: string) => void
}

/** All tools by family, and a search that leaves fewer of them. */
export function ToolPicker({ tools, chosen, onChoose }: ToolPickerProps) {
  const [query, setQuery] = useState('')
  const groups = groupTools(tools, query)
  const found = groups.flatMap((group) => group.tools)
  const isChosenFound = found.some(({ name }) => name === chosen)
  const takeFirst = (event: KeyboardEvent) => {
    const [first] = found
    if (event.key !== 'Enter' || first === undefined) return
    event.preventDefault()
    onChoose(first.name)
    setQuery('')
  }
  return (
    <div className="tool-picker">
      <Field label="Tool">
        {(control) => (
          <select {...control} value={isChosenFound ? chosen : ''} onChange={({ target }) => onChoose(target.value)}>
            {!isChosenFound && (
              <option value="" disabled>
                {found.length === 0 ? 'No tool matches' : 'Choose a tool…'}
              </option>
            )}
            {groups.map((group) => (
              <optgroup key={group.title} label={group.title}>
                {group.tools.map(({ name }) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        )}
      </Field>
      <Field label="Search">
        {(control) => (
          <input
            {...control}
            type="search"
            placeholder="Name or purpose"
            value={query}
            onChange={({ target }) => setQuery(target.value)}
            onKeyDown={takeFirst}
          />
        )}
      </Field>
      <p className="tool-picker-count soft" role="status">
        {query.trim() === '' ? `${tools.length} tools` : `${found.length} of ${tools.length}: Enter takes the first`}
      </p>
    </div>
  )
}
