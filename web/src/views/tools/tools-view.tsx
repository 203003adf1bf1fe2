import { useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { startGroup, toDraft } from '../../schema-form/draft.ts'
import { type Json, toArgumentsPlan } from '../../schema-form/plan.ts'
import { type Route, toHash } from '../../state/route.ts'
import { useServices } from '../../state/services.ts'
import { useStore } from '../../state/use-store.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { HistoryPanel } from './history-panel.tsx'
import { RegistryPanel } from './registry-panel.tsx'
import { ResultPanel } from './result-panel.tsx'
import type { CallRecord } from './tool-desk.ts'
import { ToolPanel } from './tool-panel.tsx'
import { ToolPicker } from './tool-picker.tsx'
import { TOOLS_LIST, useToolDesk } from './use-tool-desk.ts'
import './tools.css'

const goTo = (tool: string) => {
  location.hash = toHash('tools', tool)
}

/** Any tool of the endpoint, executed by hand. `#/tools/NAME` shows the one of that name. */
export default function ToolsView({ rest }: Pick<Route, 'rest'>) {
  const { tools } = useServices()
  const isSignedIn = useSignedIn()
  const desk = useToolDesk()
  const list = useQuery({
    queryKey: [TOOLS_LIST],
    queryFn: ({ signal }) => tools.list({ signal }),
    enabled: isSignedIn,
    staleTime: Infinity,
  })
  const calls = useStore(desk.calls)
  const [wanted, setWanted] = useState<number>()
  const main = useRef<HTMLDivElement>(null)
  const show = (id: number) => {
    setWanted(id)
    // Below a long form nobody would see that something has come of it.
    requestAnimationFrame(() => main.current?.lastElementChild?.scrollIntoView({ block: 'nearest' }))
  }

  const listed = list.data ?? []
  const asked = rest[0] ?? calls[0]?.tool
  const tool = asked === undefined ? listed[0] : listed.find(({ name }) => name === asked)
  const ofTool = calls.filter((call) => call.tool === tool?.name)
  const call = ofTool.find(({ id }) => id === wanted) ?? ofTool[0]
  const takesAgent =
    tool !== undefined && toArgumentsPlan(tool.inputSchema).fields.some(({ name }) => name === 'agent_id')

  const fill = (name: string, args: { readonly [name: string]: Json }) => {
    const target = listed.find((entry) => entry.name === name)
    if (target === undefined) return
    const plan = toArgumentsPlan(target.inputSchema)
    const gaps: string[] = []
    const draft = toDraft(plan, args, '', gaps)
    const json = JSON.stringify(args, null, 2)
    const isHeld = gaps.length === 0 && typeof draft !== 'string' && draft.kind === 'group'
    desk.setForm(name, isHeld ? { mode: 'form', draft, json } : { mode: 'json', draft: startGroup(plan), json })
  }
  const reuse = ({ tool: name, args }: CallRecord) => {
    fill(name, args)
    goTo(name)
  }
  const takeAgent = (agentId: string) => {
    if (tool === undefined) return
    const form = desk.forms.get()[tool.name]
    const draft = form?.draft ?? startGroup(toArgumentsPlan(tool.inputSchema))
    const filled = { ...draft, fields: { ...draft.fields, agent_id: agentId } }
    desk.setForm(tool.name, { mode: 'form', draft: filled, json: form?.json ?? '{}' })
  }
  const follow = (jobId: string) => {
    const args = { job_id: jobId, wait_seconds: 50 }
    fill('get_job', args)
    show(desk.run('get_job', args))
    goTo('get_job')
  }

  return (
    <div className="tool-desk">
      <div className="tool-main" ref={main}>
        <Panel title="Execute a tool">
          {!isSignedIn && <EmptyState title="Authenticate to execute tools" />}
          {list.isPending && list.error === null && isSignedIn && <LoadingState>Loading the tools…</LoadingState>}
          {list.error !== null && <ErrorState error={list.error} onRetry={() => void list.refetch()} />}
          {list.data !== undefined && (
            <div className="stack">
              <ToolPicker tools={listed} chosen={tool?.name ?? ''} onChoose={goTo} />
              {tool === undefined && <EmptyState title={`The endpoint has no tool "${asked ?? ''}"`} />}
              {tool !== undefined && <ToolPanel key={tool.name} tool={tool} call={call} onRun={show} />}
            </div>
          )}
        </Panel>
        <ResultPanel call={call} onStop={desk.stop} onReuse={reuse} onFollow={follow} />
      </div>
      <div className="tool-side">
        <RegistryPanel onTake={takesAgent ? takeAgent : undefined} />
        <HistoryPanel
          calls={calls}
          shown={call?.id}
          onShow={(chosen) => {
            show(chosen.id)
            goTo(chosen.tool)
          }}
        />
      </div>
    </div>
  )
}
