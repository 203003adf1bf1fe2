export interface StreamGuard {
  /** What a reader may leave unread. The stream of one that is slower ends, in order: it comes again and reads anew. */
  readonly bytesMax: number
  /** Whether its reader may still have it; asked every few seconds. The stream ends where not. */
  readonly isStillGood: () => Promise<boolean>
  /** A comment, after this long without a byte; null where the stream has its own. */
  readonly keepAliveMs: number | null
  /** Called once, however it ends. */
  readonly onEnd: () => void
}

/** Within it, what was revoked ends. */
const LOOK_MS = 5000
const keepAlive = new TextEncoder().encode(': keepalive\n\n')

/** A stream of server-sent events with bounds: on what it holds for a slow reader, and on how long a token is good. */
export function guardStream(source: ReadableStream<Uint8Array>, guard: StreamGuard): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let ended = false
  let quietSince = Date.now()
  let looking: ReturnType<typeof setInterval> | undefined
  let beating: ReturnType<typeof setInterval> | undefined

  function end(): void {
    if (ended) return
    ended = true
    clearInterval(looking)
    clearInterval(beating)
    reader.cancel().catch(() => undefined)
    guard.onEnd()
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const finish = (): void => {
          if (ended) return
          end()
          controller.close()
        }
        const write = (bytes: Uint8Array): void => {
          controller.enqueue(bytes)
          quietSince = Date.now()
          if ((controller.desiredSize ?? 0) <= 0) finish()
        }
        const pump = async (): Promise<void> => {
          while (!ended) {
            const { done, value } = await reader.read()
            if (ended) return
            if (done) return finish()
            write(value)
          }
        }
        pump().catch(finish)
        looking = setInterval(() => {
          guard.isStillGood().then((isGood) => {
            if (!isGood) finish()
          }, finish)
        }, LOOK_MS)
        const { keepAliveMs } = guard
        if (keepAliveMs === null) return
        beating = setInterval(() => {
          if (!ended && Date.now() - quietSince >= keepAliveMs) write(keepAlive)
        }, keepAliveMs / 2)
      },
      cancel: end,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: guard.bytesMax }),
  )
}
