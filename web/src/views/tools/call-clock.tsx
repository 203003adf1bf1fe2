import { useEffect, useState } from 'react'
import { toDuration } from './answer-parts.ts'

interface CallClockProps {
  readonly startedMs: number
  readonly endedMs: number | null
}

const TICK_MS = 1000

/** How long a call took, or takes. */
export function CallClock({ startedMs, endedMs }: CallClockProps) {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    if (endedMs !== null) return
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [endedMs])
  const ms = (endedMs ?? Math.max(nowMs, startedMs)) - startedMs
  // Not read out with each second.
  return (
    <span className="soft" aria-live="off">
      {endedMs === null ? `${Math.floor(ms / TICK_MS)} s` : `in ${toDuration(ms)}`}
    </span>
  )
}
