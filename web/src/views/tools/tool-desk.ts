import { AppError } from '#shared/errors.ts'
import type { Progress, ToolAnswer, Tools } from '../../api/tools.ts'
import type { GroupDraft } from '../../schema-form/draft.ts'
import type { Json } from '../../schema-form/plan.ts'
import { createStore, type Store } from '../../state/store.ts'

/** A call of this session, from its start on. */
export interface CallRecord {
  readonly id: number
  readonly tool: string
  readonly args: { readonly [name: string]: Json }
  readonly startedMs: number
  /** Null while it runs. */
  readonly endedMs: number | null
  /** The last that the server said of it. */
  readonly progress: Progress | null
  readonly answer: ToolAnswer | null
  readonly error: AppError | null
}

/** What stands in the form of one tool, in either way of writing it. */
export interface ToolForm {
  readonly mode: 'form' | 'json'
  readonly draft: GroupDraft
  readonly json: string
}

/** What a person does with tools. Outlives the view: who goes to another one and comes back finds everything there. */
export interface ToolDesk {
  /** Newest first. */
  readonly calls: Store<readonly CallRecord[]>
  /** By the name of the tool. */
  readonly forms: Store<Readonly<Record<string, ToolForm>>>
  /** Tools that are executed without asking first. */
  readonly unasked: Store<ReadonlySet<string>>
  /** Begins a call, and answers its id. Settles in `calls`. */
  run(tool: string, args: { readonly [name: string]: Json }): number
  /** Ends a call that runs, at the server as well. */
  stop(id: number): void
  setForm(tool: string, form: ToolForm): void
  /** Forgets everything, and stops what runs. */
  clear(): void
}

/** Answers may be long: more calls than this are not kept. */
export const CALLS_MAX = 50

interface ToolDeskPorts {
  readonly tools: Pick<Tools, 'callByName'>
  readonly now: () => number
  /** A call has ended that may have changed something. */
  readonly onEnd: (tool: string) => void
}

export function createToolDesk({ tools, now, onEnd }: ToolDeskPorts): ToolDesk {
  const calls = createStore<readonly CallRecord[]>([])
  const forms = createStore<Readonly<Record<string, ToolForm>>>({})
  const unasked = createStore<ReadonlySet<string>>(new Set())
  const running = new Map<number, AbortController>()
  let lastId = 0

  const update = (id: number, change: Partial<CallRecord>) =>
    calls.set(calls.get().map((call) => (call.id === id ? { ...call, ...change } : call)))

  return {
    calls,
    forms,
    unasked,
    run(tool, args) {
      lastId++
      const id = lastId
      const aborting = new AbortController()
      running.set(id, aborting)
      const started = { id, tool, args, startedMs: now(), endedMs: null, progress: null, answer: null, error: null }
      const kept = calls.get().filter((call, index) => call.endedMs === null || index < CALLS_MAX - 1)
      calls.set([started, ...kept])
      tools
        .callByName(tool, args, { signal: aborting.signal, onProgress: (progress) => update(id, { progress }) })
        .then(
          (answer) => update(id, { answer, endedMs: now() }),
          (error: unknown) => update(id, { error: asAppError(error), endedMs: now() }),
        )
        .finally(() => {
          running.delete(id)
          onEnd(tool)
        })
      return id
    },
    stop: (id) => running.get(id)?.abort(),
    setForm: (tool, form) => forms.set({ ...forms.get(), [tool]: form }),
    clear() {
      for (const aborting of running.values()) aborting.abort()
      calls.set([])
      forms.set({})
      unasked.set(new Set())
    },
  }
}

const asAppError = (error: unknown): AppError =>
  error instanceof AppError ? error : new AppError('internal', String(error), { cause: error })
