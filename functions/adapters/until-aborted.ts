import { AppError } from '#shared/errors.ts'

/** The work, or `cancelled` as soon as the signal aborts: the work goes on where it runs, only the waiting ends. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new AppError('cancelled', 'Cannot answer: the call was cancelled'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
