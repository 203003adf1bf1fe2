import { useMutation } from '@tanstack/react-query'
import { useRef } from 'react'
import { chatWithAgent, getAgentInfo } from '#shared/tools/agents.ts'
import { toolKey } from '../../api/queries.ts'
import type { ToolArguments } from '../../api/tools.ts'
import { createSentTasks } from '../../state/sent-tasks.ts'
import { useServices } from '../../state/services.ts'

export type Task = Omit<ToolArguments<typeof chatWithAgent>, 'wait_seconds' | 'idempotency_key'>

/**
 * Gives an agent a task and does not wait for it: who watches finds the job by itself. Sent once more after a failure the
 * same task is the same job.
 */
export function useSubmitTask(onSent: () => void) {
  const { tools, queries } = useServices()
  const sent = useRef({ task: '', key: '' })
  return useMutation({
    mutationFn: async (task: Task) => {
      const identity = JSON.stringify(task)
      if (sent.current.task !== identity) sent.current = { task: identity, key: crypto.randomUUID() }
      const { job_id } = await tools.call(chatWithAgent, {
        ...task,
        wait_seconds: 0,
        idempotency_key: sent.current.key,
      })
      createSentTasks(localStorage).add(job_id, task.message)
    },
    onSuccess: async () => {
      sent.current = { task: '', key: '' }
      onSent()
      await queries.invalidateQueries({ queryKey: toolKey(getAgentInfo) })
    },
  })
}
