import type { Light } from '../../components/status-light.tsx'
import type { CallRecord } from './tool-desk.ts'

/** How a call stands, in a word and a light. */
export function stateOfCall({ endedMs, error }: Pick<CallRecord, 'endedMs' | 'error'>): {
  light: Light
  words: string
} {
  if (endedMs === null) return { light: 'waiting', words: 'Running' }
  if (error === null) return { light: 'good', words: 'Success' }
  return error.code === 'cancelled' ? { light: 'off', words: 'Stopped' } : { light: 'bad', words: 'Refused' }
}
