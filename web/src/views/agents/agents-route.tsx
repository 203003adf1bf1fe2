import { lazy } from 'react'

const AgentsView = lazy(() => import('./agents-view.tsx'))
const AgentView = lazy(() => import('../agent/agent-view.tsx'))

/** `#/agents` is all of them, `#/agents/ID` one. */
export default function AgentsRoute({ rest: [agentId] }: { readonly rest: readonly string[] }) {
  return agentId === undefined ? <AgentsView /> : <AgentView agentId={agentId} />
}
