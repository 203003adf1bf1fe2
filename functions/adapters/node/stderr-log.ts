import { inspect } from 'node:util'
import type { Log } from '../../ports/log.ts'

/** One JSON object per line on standard error. */
export function createStderrLog(): Log {
  const write = (level: string, message: string, fields: Record<string, unknown>) =>
    process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`)
  return {
    info: (message, fields = {}) => write('info', message, fields),
    error: (message, error, fields = {}) => write('error', message, { ...fields, error: inspect(error, { depth: 4 }) }),
  }
}
