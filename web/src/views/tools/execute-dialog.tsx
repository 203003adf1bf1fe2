import { useState } from 'react'
import type { ListedTool } from '../../api/tools.ts'
import { Button } from '../../components/button.tsx'
import { Code } from '../../components/code.tsx'
import { Dialog } from '../../components/dialog.tsx'

interface ExecuteDialogProps {
  readonly tool: ListedTool
  readonly args: Readonly<Record<string, unknown>>
  readonly onCancel: () => void
  readonly onExecute: (isAlways: boolean) => void
}

const SHOWN_CHARACTERS = 1500

/** What can replace or delete is asked for once more, with what it would be called with. */
export function ExecuteDialog({ tool, args, onCancel, onExecute }: ExecuteDialogProps) {
  const [isAlways, setIsAlways] = useState(false)
  const text = JSON.stringify(args, null, 2)
  return (
    <Dialog title={`Execute ${tool.name}?`} onClose={onCancel}>
      <p>{tool.description}</p>
      <Code label="Arguments" text={text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text} />
      <label className="tool-always">
        <input
          type="checkbox"
          className="tick"
          checked={isAlways}
          onChange={({ target }) => setIsAlways(target.checked)}
        />{' '}
        Do not ask again for this tool until I sign out
      </label>
      <div className="dialog-buttons">
        <Button onClick={onCancel}>Cancel</Button>
        <Button look="danger" onClick={() => onExecute(isAlways)}>
          Execute
        </Button>
      </div>
    </Dialog>
  )
}
