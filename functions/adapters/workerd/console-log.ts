import type { Log } from '../../ports/log.ts'

/** Causes below causes; more is a loop. */
const CAUSES_MAX = 5

/** One JSON object per line on the console, which is where `wrangler tail` and the logs of the dashboard read. */
export function createConsoleLog(): Log {
  const write = (level: 'info' | 'error', message: string, fields: Record<string, unknown>) =>
    console[level](JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }))
  return {
    info: (message, fields = {}) => write('info', message, fields),
    error: (message, error, fields = {}) => write('error', message, { ...fields, error: describe(error) }),
  }
}

function describe(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? String(error)
  return error.cause === undefined || depth >= CAUSES_MAX
    ? own
    : `${own}\ncaused by ${describe(error.cause, depth + 1)}`
}
