import type { RetryGate } from './retry-gate.ts'
import type { RemoteWatch } from './runtime.ts'

/** How long a watch is silent before it is asked whether it still stands, and how long that may take to answer. */
const CHECK_MS = 5000

/**
 * Hears by way of another object, for as long as the function that it gives is not called. Objects are restarted, and what
 * was registered with them is then gone without a word: a watch that is silent is asked from time to time, which belongs to
 * the call that began it and is no request of its own. One that no longer stands, or never began, is begun again, and its
 * listener then told (null) that it may have missed something. Never rejects.
 */
export async function keepWatching<News>(
  begin: (hear: (news: News | null) => void) => Promise<RemoteWatch>,
  listener: (news: News | null) => void,
  gate: RetryGate,
): Promise<() => void> {
  let stopped = false
  let held: RemoteWatch | null = null
  let heardAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  /** True where it stands now. */
  async function register(): Promise<boolean> {
    let isCurrent = true
    try {
      const watch = await begin((news) => {
        if (stopped || !isCurrent) return
        heardAt = Date.now()
        listener(news)
      })
      gate.succeeded()
      held = {
        check: () => watch.check(),
        [Symbol.dispose]() {
          isCurrent = false
          watch[Symbol.dispose]()
        },
      }
      heardAt = Date.now()
    } catch {
      isCurrent = false
      gate.failed()
      return false
    }
    if (stopped) letGo()
    return true
  }

  function letGo(): void {
    held?.[Symbol.dispose]()
    held = null
  }

  async function look(): Promise<void> {
    if (held !== null && Date.now() - heardAt >= CHECK_MS && !(await stands(held))) letGo()
    if (!stopped && held === null && gate.mayTry() && (await register()) && !stopped) listener(null)
    lookLater()
  }

  function lookLater(): void {
    if (!stopped) timer = setTimeout(() => void look(), CHECK_MS)
  }

  await register()
  lookLater()
  return () => {
    stopped = true
    clearTimeout(timer)
    letGo()
  }
}

/** An object that does not answer is as good as gone. */
async function stands(watch: RemoteWatch): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_MS)
  })
  const answered = watch.check().then(
    () => true,
    () => false,
  )
  const answer = await Promise.race([answered, late])
  clearTimeout(timer)
  return answer
}
