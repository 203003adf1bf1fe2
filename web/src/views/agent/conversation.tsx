import type { getAgentInfo } from '#shared/tools/agents.ts'
import type { ToolOutput } from '#shared/tools/define-tool.ts'
import { EmptyState } from '../../components/states.tsx'
import { LiveTask } from './live-task.tsx'
import { TaskForm } from './task-form.tsx'
import { TurnCard } from './turn-card.tsx'
import { liveJobs, toTurns } from './turns.ts'

type AgentInfo = ToolOutput<typeof getAgentInfo>

/** Of this many tasks, the latest, the outcome is shown without being asked for. */
const OPEN_TURNS = 3

/** What was asked of an agent and what it answered, newest first under the field for the next task. */
export function Conversation({ info: { agent, jobs, messages } }: { readonly info: AgentInfo }) {
  const turns = toTurns(messages)
  const live = liveJobs(jobs)
  return (
    <div className="conversation">
      <TaskForm agentId={agent.agent_id} />
      {turns.length === 0 && live.length === 0 && (
        <EmptyState title="Nothing has been asked yet">
          <p>
            The agent writes <code>{agent.managed_file}</code> and nothing else. Every change goes through the checks.
          </p>
        </EmptyState>
      )}
      <ol className="plain-list turns" aria-label="Conversation, newest first">
        {live.toReversed().map((job) => (
          <LiveTask key={job.job_id} job={job} />
        ))}
        {turns.toReversed().map((turn, index) => (
          <TurnCard
            key={turn.jobId}
            turn={turn}
            agentId={agent.agent_id}
            path={agent.managed_file}
            isOpen={index < OPEN_TURNS}
            later={turns.slice(turns.length - index)}
          />
        ))}
      </ol>
    </div>
  )
}
