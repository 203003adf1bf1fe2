import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import type { ModelInfo } from '#shared/schemas/worker.ts'

type ModelState = Pick<ModelInfo, 'name' | 'state'>

/**
 * Tells of each model whose state is another than when it was last looked at. Models are looked at and not asked to say it:
 * their states have many causes (a child process, a server, machines elsewhere), and a look is a read of memory.
 */
export function createModelTeller(
  models: () => readonly ModelState[],
  tell: (event: WorkspaceEvent) => void,
): { look(): void } {
  let known = new Map<string, ModelState['state']>()
  return {
    look() {
      const current = new Map(models().map(({ name, state }) => [name, state]))
      for (const [model, state] of current) {
        if (known.get(model) !== state) tell({ v: WIRE_VERSION, type: 'model_changed', model, state })
      }
      for (const model of known.keys()) {
        if (!current.has(model)) tell({ v: WIRE_VERSION, type: 'model_changed', model, state: 'missing' })
      }
      known = current
    },
  }
}
