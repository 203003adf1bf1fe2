import { AppError } from '#shared/errors.ts'
import type { LanguageModel } from '../ports/language-model.ts'

/** The models that this worker is configured with, by name; the first is the default. */
export interface ModelSet {
  /** The named model, or the default. Throws `not_found` naming those that there are. */
  pick(name: string | null): LanguageModel
  all(): readonly LanguageModel[]
  /** Resident memory of all their processes, in bytes; null while there is none. */
  memoryBytes(): number | null
  /** Ends all of them, also where the end of one fails; rejects then. */
  close(): Promise<void>
}

export function createModelSet(models: readonly LanguageModel[]): ModelSet {
  return {
    pick(name) {
      const model = name === null ? models[0] : models.find((candidate) => candidate.name === name)
      if (model !== undefined) return model
      throw new AppError(
        'not_found',
        name === null ? 'Cannot pick a model: none is configured' : `Cannot pick model "${name}": it is not configured`,
        { hint: `Configured: ${models.map((candidate) => candidate.name).join(', ') || 'none'}` },
      )
    },
    all: () => models,
    memoryBytes() {
      const sizes = models.map((model) => model.memoryBytes()).filter((bytes) => bytes !== null)
      return sizes.length === 0 ? null : sizes.reduce((sum, bytes) => sum + bytes, 0)
    },
    async close() {
      const ends = await Promise.allSettled(models.map((model) => model.close()))
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    },
  }
}
