import { type CallToolResult, type InputRequests, inputRequired } from '@modelcontextprotocol/server'
import type { TaskState, TaskStore } from '#functions/mcp/tasks.ts'
import { text } from './content.ts'
import { pause } from './pause.ts'

// What the tools of the official tests do that answer with a task, and their tasks, in memory.

/** Where the tasks are: a runtime in which a request may not go on with what another one began has them elsewhere. */
export interface TaskKeeper extends TaskStore {
  /** Begins a work and does not wait for it. */
  start(work: WorkName, args: Record<string, unknown>): Promise<TaskState>
}

interface Task {
  state: TaskState
  readonly stop: AbortController
  readonly answers: Record<string, unknown>
  onAnswer: () => void
}

const works = {
  slow_compute: async ({ stop }, { seconds, label }) => {
    await pause(Number(seconds ?? 0) * 1000, stop.signal)
    return { content: [text(`Computed ${label}`)] }
  },
  failing_job: async () => ({ isError: true, content: [text('This job always fails')] }),
  protocol_error_job: async () => {
    throw new Error('This job breaks the protocol')
  },
  confirm_delete: async (task) => {
    const answers = await ask(task, { confirm: question('Delete it?', 'confirmed') })
    return { content: [text(`Confirmed: ${JSON.stringify(answers.confirm)}`)] }
  },
  multi_input: async (task) => {
    const answers = await ask(task, { first: question('First?', 'value'), second: question('Second?', 'value') })
    return { content: [text(JSON.stringify(answers))] }
  },
  test_tool_with_task: async (_task, { name }) => ({ content: [text(`Hello, ${name}!`)] }),
} satisfies Record<string, (task: Task, args: Record<string, unknown>) => Promise<CallToolResult>>
export type WorkName = keyof typeof works

/** Does a work while its caller waits. It asks for nothing. */
export function run(work: WorkName, args: Record<string, unknown>): Promise<CallToolResult> {
  return works[work](createTask(), args)
}

function createTask(): Task {
  const now = new Date().toISOString()
  const state: TaskState = {
    taskId: crypto.randomUUID(),
    status: 'working',
    createdAt: now,
    lastUpdatedAt: now,
    ttlMs: 60_000,
    pollIntervalMs: 100,
  }
  return { state, stop: new AbortController(), answers: {}, onAnswer: () => undefined }
}

export function createTasks(): TaskKeeper {
  const tasks = new Map<string, Task>()
  return {
    async start(work, args) {
      const task = createTask()
      tasks.set(task.state.taskId, task)
      const begun = task.state
      void works[work](task, args).then(
        (result) => change(task, { status: 'completed', result: { ...result } }),
        (error: unknown) =>
          task.stop.signal.aborted
            ? change(task, { status: 'cancelled' })
            : change(task, { status: 'failed', error: { code: -32603, message: String(error) } }),
      )
      return begun
    },
    get: async (taskId) => tasks.get(taskId)?.state ?? null,
    async update(taskId, inputResponses) {
      const task = tasks.get(taskId)
      if (task === undefined) return false
      const asked = { ...task.state.inputRequests }
      for (const [key, answer] of Object.entries(inputResponses)) {
        if (!(key in asked)) continue
        task.answers[key] = answer
        delete asked[key]
      }
      if (task.state.status === 'input_required') change(task, { inputRequests: asked })
      task.onAnswer()
      return true
    },
    async cancel(taskId) {
      const task = tasks.get(taskId)
      task?.stop.abort()
      return task !== undefined
    },
  }
}

function change(task: Task, changes: Partial<TaskState>): void {
  task.state = { ...task.state, ...changes, lastUpdatedAt: new Date().toISOString() }
}

/** Parks a task until the client has answered all that it is asked. */
async function ask(task: Task, inputRequests: InputRequests): Promise<Record<string, unknown>> {
  change(task, { status: 'input_required', inputRequests })
  while (Object.keys(inputRequests).some((key) => !(key in task.answers))) {
    task.stop.signal.throwIfAborted()
    const answered = Promise.withResolvers<void>()
    task.onAnswer = answered.resolve
    await answered.promise
  }
  const { inputRequests: _answered, ...state } = task.state
  task.state = { ...state, status: 'working' }
  return task.answers
}

export const question = (message: string, property: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [property]: { type: 'string' } }, required: [property] },
  })
