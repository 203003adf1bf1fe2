export interface AwaitOtherFileOptions {
  /** Of the file by now; null where there is none. */
  readonly fingerprint: () => Promise<string | null>
  /** What the file was when it was of no use. */
  readonly known: string | null
  readonly intervalMs: number
  /** Called once: it is another file, and nobody wrote to it for an interval. */
  readonly onOther: () => void
}

/** Looks at a file now and then, until there is another one or the returned function is called. Keeps no process alive. */
export function awaitOtherFile({ fingerprint, known, intervalMs, onOther }: AwaitOtherFileOptions): () => void {
  let last = known
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined

  function lookLater(): void {
    timer = setTimeout(() => void look(), intervalMs).unref()
  }

  async function look(): Promise<void> {
    const now = await fingerprint().catch(() => null)
    if (stopped) return
    if (now !== null && now !== known && now === last) return onOther()
    last = now
    lookLater()
  }

  lookLater()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
