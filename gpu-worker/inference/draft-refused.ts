import { AppError } from '#shared/errors.ts'
import { fileName } from './models.ts'

/** The refusal to load a model with a draft model that cannot be used. Only another configuration helps. */
export const draftRefused = (path: string, why: string, cause: unknown): AppError =>
  new AppError('model_unavailable', `Cannot use the draft model "${fileName(path)}": ${why}`, {
    hint: 'Set MILLWRIGHT_DRAFT_MODEL to the .gguf file of a smaller model of the same family, or to nothing',
    details: { file: 'draft' },
    cause,
  })
