import type { ModelGroup } from '../ports/model-group.ts'
import { GroupModel } from './group-model.ts'
import { createModelDirectory } from './model-directory.ts'
import type { RemoteModels } from './model-set.ts'

export interface RemoteModelsOptions {
  readonly group: ModelGroup
  /** This worker's own id as a member, which is not asked. */
  readonly self: string
  /** Names that count as known although nobody serves them now. */
  readonly configured: readonly string[]
  readonly log: (line: string) => void
}

/** The models of a workspace's model workers. Looks from time to time who is there, until it is closed. */
export function createRemoteModels({ group, self, configured, log }: RemoteModelsOptions): RemoteModels {
  const directory = createModelDirectory(group, self)
  const models = new Map<string, GroupModel>()
  return {
    names: () => [...new Set([...configured, ...directory.names()])],
    refresh: directory.refresh,
    model(name) {
      const model = models.get(name) ?? new GroupModel({ name, group, directory, log })
      models.set(name, model)
      return model
    },
    async close() {
      directory.stop()
      await Promise.all([...models.values()].map((model) => model.close()))
    },
  }
}
