import { DurableObject } from 'cloudflare:workers'
import type { ObjectNamespace } from '#functions/adapters/workerd/runtime.ts'
import { createEdge, type Environment } from '#functions/entry.workerd.ts'
import type { TaskState } from '#functions/mcp/tasks.ts'
import { createConformanceExtension } from './extension.ts'
import { createTasks, type TaskKeeper, type WorkName } from './tasks.ts'

// The edge as it is, with the fixtures of the official tests beside its catalogue.

export * from '#functions/entry.workerd.ts'

/** The fixtures' tasks: they outlive the request that starts them, so they live in an object. */
export class TaskObject extends DurableObject<Environment> implements TaskKeeper {
  readonly #tasks = createTasks()

  start(work: WorkName, args: Record<string, unknown>): Promise<TaskState> {
    return this.#tasks.start(work, args)
  }

  get(taskId: string): Promise<TaskState | null> {
    return this.#tasks.get(taskId)
  }

  update(taskId: string, inputResponses: Record<string, unknown>): Promise<boolean> {
    return this.#tasks.update(taskId, inputResponses)
  }

  cancel(taskId: string): Promise<boolean> {
    return this.#tasks.cancel(taskId)
  }
}

interface TestEnvironment extends Environment {
  readonly TASKS: ObjectNamespace<TaskKeeper>
}

const edge = createEdge(({ TASKS }: TestEnvironment) => {
  // A stub belongs to the request in which it was made.
  const stub = () => TASKS.get(TASKS.idFromName('tasks'))
  return createConformanceExtension({
    start: (work, args) => stub().start(work, args),
    get: (taskId) => stub().get(taskId),
    update: (taskId, inputResponses) => stub().update(taskId, inputResponses),
    cancel: (taskId) => stub().cancel(taskId),
  })
})
export const HeldSession = edge.HeldSession
export default edge.handler
