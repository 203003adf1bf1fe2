import { killBoundProcesses } from './bound-process.ts'

/**
 * A terminal sends Ctrl-C to every process of a command, and npm and scripts/run.mjs pass theirs on: signals that
 * follow within a moment are one.
 */
const ONE_SIGNAL_MS = 1000

/**
 * Aborts on the first SIGINT, SIGTERM or SIGHUP, or when the process that started this one over an IPC channel is gone.
 * The next signal that a person sends ends this process and all its children by force.
 */
export function listenForInterrupts(log: (line: string) => void): AbortSignal {
  const controller = new AbortController()
  let firstAt = 0
  const interrupt = (reason: string) => {
    if (!controller.signal.aborted) {
      firstAt = Date.now()
      log(`${reason}: stopping (once more to stop at once)`)
      controller.abort(new Error('stopped'))
    } else if (Date.now() - firstAt > ONE_SIGNAL_MS) {
      killBoundProcesses()
      process.exit(130)
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt(signal))
  if (process.connected === true) {
    process.once('disconnect', () => interrupt('The parent process has ended'))
    // Listening would keep this process alive when all is done.
    process.channel?.unref()
  }
  return controller.signal
}
