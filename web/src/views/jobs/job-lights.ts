import type { JobState } from '#shared/schemas/job.ts'
import type { Light } from '../../components/status-light.tsx'

export const jobLights: Readonly<Record<JobState, Light>> = {
  queued: 'waiting',
  running: 'waiting',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'off',
}
