/**
 * The same bytes, at the pace of whoever reads them; `onEnd` is called once when they are over, read or given up. `signal` is
 * the request's: one runtime does not cancel the body of an answer whose reader has gone, but aborts what it was asked.
 */
export function followStream(
  source: ReadableStream<Uint8Array>,
  onEnd: () => void,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    signal.removeEventListener('abort', giveUp)
    onEnd()
  }
  const giveUp = (): void => {
    end()
    reader.cancel().catch(() => undefined)
  }
  signal.addEventListener('abort', giveUp)
  if (signal.aborted) giveUp()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          end()
          controller.close()
        } catch (error) {
          end()
          controller.error(error)
        }
      },
      cancel(reason) {
        end()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
