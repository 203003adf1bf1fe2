import { setTimeout } from 'node:timers/promises'
import { acceptedContent, type CallToolResult, type InputRequests, inputRequired } from '@modelcontextprotocol/server'
import type { ExtensionTool } from '#functions/mcp/extension.ts'
import { declaresTasks, type TaskState, type TaskStore, tasksMissing } from '#functions/mcp/tasks.ts'
import { text } from './content.ts'

// Tools of the official tests that answer with a task, and the tasks themselves, in memory.

interface Task {
  state: TaskState
  readonly stop: AbortController
  readonly answers: Record<string, unknown>
  onAnswer: () => void
}

const tasks = new Map<string, Task>()

export const taskStore: TaskStore = {
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

function change(task: Task, changes: Partial<TaskState>): void {
  task.state = { ...task.state, ...changes, lastUpdatedAt: new Date().toISOString() }
}

type Work = (task: Task) => Promise<CallToolResult>

function start(work: Work): TaskState {
  const now = new Date().toISOString()
  const state: TaskState = {
    taskId: crypto.randomUUID(),
    status: 'working',
    createdAt: now,
    lastUpdatedAt: now,
    ttlMs: 60_000,
    pollIntervalMs: 100,
  }
  const task: Task = { state, stop: new AbortController(), answers: {}, onAnswer: () => undefined }
  tasks.set(state.taskId, task)
  void work(task).then(
    (result) => change(task, { status: 'completed', result: { ...result } }),
    (error: unknown) =>
      task.stop.signal.aborted
        ? change(task, { status: 'cancelled' })
        : change(task, { status: 'failed', error: { code: -32603, message: String(error) } }),
  )
  return state
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

const question = (message: string, property: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [property]: { type: 'string' } }, required: [property] },
  })

function tool(name: string, properties: Record<string, { type: string }>, call: ExtensionTool['call']): ExtensionTool {
  return {
    listed: { name, description: 'Serves the official tests of tasks', inputSchema: { type: 'object', properties } },
    mayBeTask: true,
    call,
  }
}

/** A task for those who know tasks, and else the work itself. */
const optional =
  (toWork: (args: Record<string, unknown>) => Work): ExtensionTool['call'] =>
  async (args, context) => {
    if (declaresTasks(context)) return start(toWork(args))
    const stop = new AbortController()
    const state = {
      taskId: '',
      status: 'working',
      createdAt: '',
      lastUpdatedAt: '',
      ttlMs: 0,
      pollIntervalMs: 0,
    } as const
    return toWork(args)({ state, stop, answers: {}, onAnswer: () => undefined })
  }

/** A task, or a refusal that names what the client lacks. */
const required =
  (work: Work): ExtensionTool['call'] =>
  async (_args, context) => {
    if (!declaresTasks(context)) throw tasksMissing()
    return start(work)
  }

export const taskTools: readonly ExtensionTool[] = [
  tool('greet', { name: { type: 'string' } }, async ({ name }) => ({ content: [text(`Hello, ${name}!`)] })),
  tool(
    'slow_compute',
    { seconds: { type: 'number' }, label: { type: 'string' } },
    optional(({ seconds, label }) => async ({ stop }) => {
      await setTimeout(Number(seconds ?? 0) * 1000, undefined, { signal: stop.signal })
      return { content: [text(`Computed ${label}`)] }
    }),
  ),
  tool(
    'failing_job',
    {},
    required(async () => ({ isError: true, content: [text('This job always fails')] })),
  ),
  tool(
    'protocol_error_job',
    {},
    required(async () => {
      throw new Error('This job breaks the protocol')
    }),
  ),
  tool(
    'confirm_delete',
    { filename: { type: 'string' } },
    required(async (task) => {
      const answers = await ask(task, { confirm: question('Delete it?', 'confirmed') })
      return { content: [text(`Confirmed: ${JSON.stringify(answers.confirm)}`)] }
    }),
  ),
  tool(
    'multi_input',
    {},
    required(async (task) => {
      const answers = await ask(task, { first: question('First?', 'value'), second: question('Second?', 'value') })
      return { content: [text(JSON.stringify(answers))] }
    }),
  ),
  tool('test_tool_with_task', {}, async (_args, context) => {
    if (!declaresTasks(context)) throw tasksMissing()
    const answer = acceptedContent<{ name?: unknown }>(context.mcpReq.inputResponses, 'user_name')
    if (answer === undefined)
      return inputRequired({ inputRequests: { user_name: question('What is your name?', 'name') } })
    return start(async () => ({ content: [text(`Hello, ${Object.values(answer).join(' ')}!`)] }))
  }),
]
