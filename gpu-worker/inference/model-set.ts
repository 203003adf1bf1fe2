import { AppError } from '#shared/errors.ts'
import type { LanguageModel } from '../ports/language-model.ts'

/** The models that this worker can use, by name; the first of its own is the default. */
export interface ModelSet {
  /**
   * The named model, or the default: this worker's own, else that of a group. Rejects with `not_found` naming those that
   * there are, or with `model_unavailable` where there is no default.
   */
  pick(name: string | null): Promise<LanguageModel>
  /** Rejects with `not_found` for a name that neither this worker nor, as far as was heard of late, a group has. */
  requireKnown(name: string): Promise<void>
  all(): readonly LanguageModel[]
  /** Resident memory of all their processes, in bytes; null while there is none. */
  memoryBytes(): number | null
  /** Ends all of them, also where the end of one fails; rejects then. */
  close(): Promise<void>
}

/** Models that other workers serve. */
export interface RemoteModels {
  /** Configured, or seen of late; the configured ones first, in their order. */
  names(): readonly string[]
  /** Looks who is there. */
  refresh(): Promise<void>
  /** Of any name: whether somebody serves it is found out by asking. */
  model(name: string): LanguageModel
  close(): Promise<void>
}

export function createModelSet(models: readonly LanguageModel[], remote?: RemoteModels): ModelSet {
  const own = (name: string): LanguageModel | undefined => models.find((candidate) => candidate.name === name)
  const names = (): string[] => [...new Set([...models.map((model) => model.name), ...(remote?.names() ?? [])])]
  const unknown = (name: string): AppError =>
    new AppError('not_found', `Cannot pick model "${name}": it is not configured`, {
      hint: `Configured: ${names().join(', ') || 'none'}`,
    })

  async function pickDefault(): Promise<LanguageModel> {
    if (models[0] !== undefined) return models[0]
    if (remote?.names().length === 0) await remote.refresh()
    const [name] = remote?.names() ?? []
    if (remote === undefined || name === undefined) {
      throw new AppError(
        'model_unavailable',
        'Cannot pick a model: this worker has none, and no model worker is connected',
        {
          hint: 'Start one with npm run worker -- --role model --model NAME',
        },
      )
    }
    return remote.model(name)
  }

  return {
    async pick(name) {
      if (name === null) return pickDefault()
      const model = own(name) ?? remote?.model(name)
      if (model === undefined) throw unknown(name)
      return model
    },
    async requireKnown(name) {
      if (names().includes(name)) return
      await remote?.refresh()
      if (!names().includes(name)) throw unknown(name)
    },
    all: () =>
      [
        ...models,
        ...(remote?.names() ?? []).filter((name) => own(name) === undefined).map((name) => remote?.model(name)),
      ].filter((model) => model !== undefined),
    memoryBytes() {
      const sizes = models.map((model) => model.memoryBytes()).filter((bytes) => bytes !== null)
      return sizes.length === 0 ? null : sizes.reduce((sum, bytes) => sum + bytes, 0)
    },
    async close() {
      const ends = await Promise.allSettled([...models.map((model) => model.close()), remote?.close()])
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    },
  }
}
