import { type FormEvent, useMemo, useRef, useState } from 'react'
import type { ListedTool } from '../../api/tools.ts'
import { Button } from '../../components/button.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { startGroup, toDraft } from '../../schema-form/draft.ts'
import { type Json, toArgumentsPlan } from '../../schema-form/plan.ts'
import type { Issue } from '../../schema-form/read-draft.ts'
import { SchemaForm } from '../../schema-form/schema-form.tsx'
import { issuesOfRefusal } from '../../schema-form/server-issues.ts'
import { useServices } from '../../state/services.ts'
import { useStore } from '../../state/use-store.ts'
import { toCurlLine } from './curl-line.ts'
import { ExecuteDialog } from './execute-dialog.tsx'
import { readForm } from './read-form.ts'
import type { CallRecord, ToolForm } from './tool-desk.ts'
import { useToolDesk } from './use-tool-desk.ts'

interface ToolPanelProps {
  readonly tool: ListedTool
  /** The call of this tool whose result is shown. */
  readonly call: CallRecord | undefined
  readonly onRun: (id: number) => void
}

const modes = [
  { name: 'form', label: 'Form' },
  { name: 'json', label: 'JSON' },
] as const

/** One tool: what it does, its arguments as fields or as JSON, and the button that executes it. */
export function ToolPanel({ tool, call, onRun }: ToolPanelProps) {
  const { toasts } = useServices()
  const desk = useToolDesk()
  const element = useRef<HTMLFormElement>(null)
  const plan = useMemo(() => withoutConfirm(toArgumentsPlan(tool.inputSchema)), [tool.inputSchema])
  const untouched = useMemo((): ToolForm => ({ mode: 'form', draft: startGroup(plan), json: '{}' }), [plan])
  const form = useStore(desk.forms)[tool.name] ?? untouched
  const [found, setFound] = useState<readonly Issue[]>([])
  const [isAsked, setIsAsked] = useState(false)
  const isUnasked = useStore(desk.unasked).has(tool.name)
  const isRunning = call !== undefined && call.endedMs === null
  const needsConfirm = toArgumentsPlan(tool.inputSchema).fields.some(({ name }) => name === 'confirm')

  // What the server has found holds until the next attempt; what was found here, until something else is typed.
  const issues = found.length > 0 ? found : issuesOfRefusal(call?.error)
  const problems = new Map(issues.map(({ path, message }) => [path, message]))
  const isField = (path: string) => form.mode === 'form' && plan.fields.some(({ name }) => name === path.split('.')[0])
  const elsewhere = issues.filter(({ path }) => !isField(path))

  const setForm = (next: ToolForm) => {
    setFound([])
    desk.setForm(tool.name, next)
  }
  const read = () => {
    const { args, issues: wrong } = readForm(plan, form)
    setFound(wrong)
    if (args === undefined) {
      requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
    }
    return args
  }
  const choose = (mode: ToolForm['mode']) => {
    if (mode === form.mode) return
    if (mode === 'json') return setForm({ ...form, mode, json: JSON.stringify(readForm(plan, form).written, null, 2) })
    const args = read()
    if (args === undefined) return
    const gaps: string[] = []
    const draft = toDraft(plan, args, '', gaps)
    if (gaps.length > 0) setFound(gaps.map((path) => ({ path, message: 'The form has no place for this' })))
    else if (typeof draft !== 'string' && draft.kind === 'group') setForm({ ...form, mode, draft })
  }
  const confirmed = (args: { readonly [name: string]: Json }) => (needsConfirm ? { confirm: true, ...args } : args)
  const execute = (args: { readonly [name: string]: Json }) => {
    setIsAsked(false)
    onRun(desk.run(tool.name, confirmed(args)))
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (isRunning) return
    const args = read()
    if (args === undefined) return
    if (tool.isDestructive && !isUnasked) setIsAsked(true)
    else execute(args)
  }
  const copyCurl = async () => {
    const args = read()
    if (args === undefined) return
    try {
      await navigator.clipboard.writeText(toCurlLine(new URL('/mcp', location.href).href, tool.name, confirmed(args)))
      toasts.show('done', 'Copied as a curl line. It takes the token from $MILLWRIGHT_TOKEN')
    } catch {
      toasts.show('failed', 'The browser does not let the page write to the clipboard')
    }
  }

  return (
    <form className="stack" ref={element} onSubmit={submit} noValidate aria-label={tool.name}>
      <div className="tool-about">
        <p>{tool.description}</p>
        <span className="tool-kind" data-kind={tool.isReading ? 'reads' : tool.isDestructive ? 'replaces' : 'adds'}>
          {tool.isReading ? 'Only reads' : tool.isDestructive ? 'Can replace or delete' : 'Adds'}
        </span>
      </div>
      <Tabs label="How to write the arguments" tabs={modes} chosen={form.mode} onChoose={choose}>
        {form.mode === 'form' ? (
          <>
            {plan.fields.length === 0 && <p className="soft tool-note">This tool takes no arguments.</p>}
            <SchemaForm
              plan={plan}
              draft={form.draft}
              problems={problems}
              onChange={(draft) => setForm({ ...form, draft })}
            />
          </>
        ) : (
          <textarea
            className="code-input tool-json"
            aria-label="Arguments as JSON"
            aria-invalid={elsewhere.length > 0}
            spellCheck={false}
            value={form.json}
            onChange={({ target }) => setForm({ ...form, json: target.value })}
          />
        )}
      </Tabs>
      {elsewhere.length > 0 && (
        <ul className="tool-problems" role="alert">
          {elsewhere.map(({ path, message }) => (
            <li key={`${path} ${message}`}>
              {path !== '' && <code>{path}</code>} {message}
            </li>
          ))}
        </ul>
      )}
      <div className="tool-buttons">
        <Button type="submit" look="primary" busy={isRunning}>
          Execute Tool
        </Button>
        {isRunning && <Button onClick={() => desk.stop(call.id)}>Stop</Button>}
        <Button onClick={() => void copyCurl()}>Copy as curl</Button>
        <Button look="quiet" onClick={() => setForm({ ...untouched, draft: startGroup(plan), mode: form.mode })}>
          Clear
        </Button>
      </div>
      {isAsked && (
        <ExecuteDialog
          tool={tool}
          args={readForm(plan, form).written}
          onCancel={() => setIsAsked(false)}
          onExecute={(isAlways) => {
            if (isAlways) desk.unasked.set(new Set([...desk.unasked.get(), tool.name]))
            const { args } = readForm(plan, form)
            if (args !== undefined) execute(args)
          }}
        />
      )}
    </form>
  )
}

/** The page asks by itself, and says so to the tool: nobody has to tick a box as well. */
const withoutConfirm = (plan: ReturnType<typeof toArgumentsPlan>): ReturnType<typeof toArgumentsPlan> => ({
  ...plan,
  fields: plan.fields.filter(({ name }) => name !== 'confirm'),
})
