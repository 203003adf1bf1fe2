import { useMutation } from '@tanstack/react-query'
import { listJobs } from '#shared/tools/jobs.ts'
import { checkCompliance, runAllValidations } from '#shared/tools/validation.ts'
import { toolKey } from '../../api/queries.ts'
import { useServices } from '../../state/services.ts'

/** Has the repository looked at: for its findings, and for its score, which costs little after them. */
export function useRunLooks() {
  const { tools, queries } = useServices()
  return useMutation({
    mutationFn: async () => {
      await tools.call(runAllValidations, { wait_seconds: 0 })
      await tools.call(checkCompliance, { wait_seconds: 0 })
    },
    onSettled: () => queries.invalidateQueries({ queryKey: toolKey(listJobs) }),
  })
}
