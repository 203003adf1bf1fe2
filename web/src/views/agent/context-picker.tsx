import { useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, useDeferredValue, useId, useState } from 'react'
import { CONTEXT_FILES_MAX } from '#shared/protocol/limits.ts'
import { listFiles } from '#shared/tools/files.ts'
import { toolQuery } from '../../api/queries.ts'
import { Button } from '../../components/button.tsx'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'

interface ContextPickerProps {
  readonly files: readonly string[]
  readonly onChange: (files: readonly string[]) => void
}

/** Files that the model may read beside its own, by their paths in the repository. */
export function ContextPicker({ files, onChange }: ContextPickerProps) {
  const id = useId()
  const { tools } = useServices()
  const [path, setPath] = useState('')
  const wanted = useDeferredValue(path.trim())
  const isSignedIn = useSignedIn()
  const found = useQuery({
    ...toolQuery(tools, listFiles, { glob: toGlob(wanted), limit: 20 }),
    enabled: isSignedIn && wanted !== '',
    refetchInterval: false,
  })
  const isFull = files.length >= CONTEXT_FILES_MAX
  const add = () => {
    if (wanted === '' || isFull) return
    if (!files.includes(path.trim())) onChange([...files, path.trim()])
    setPath('')
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    add()
  }
  return (
    <div className="context-picker">
      {files.length > 0 && (
        <ul aria-label="Files shown to the model">
          {files.map((file) => (
            <li key={file}>
              <code>{file}</code>
              <button type="button" aria-label={`Do not show ${file}`} onClick={() => onChange(without(files, file))}>
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      <input
        list={`${id}-paths`}
        aria-label="Show the model another file"
        placeholder={isFull ? `No more than ${CONTEXT_FILES_MAX} files` : 'Show the model another file (path)'}
        disabled={isFull}
        value={path}
        onChange={(event) => setPath(event.target.value)}
        onKeyDown={onKey}
      />
      <datalist id={`${id}-paths`}>
        {(found.data?.entries ?? [])
          .filter(({ kind }) => kind === 'file')
          .map((entry) => (
            <option key={entry.path} value={entry.path} />
          ))}
      </datalist>
      <Button disabled={wanted === '' || isFull} onClick={add}>
        Add file
      </Button>
    </div>
  )
}

const without = (files: readonly string[], file: string) => files.filter((each) => each !== file)

/** A pattern for paths with these letters in them. What would mean something in a pattern is any sign. */
const toGlob = (part: string): string =>
  `**/*${part
    .replace(/^.*\//, '')
    .slice(0, 100)
    .replace(/[^\w.-]/g, '?')}*`
