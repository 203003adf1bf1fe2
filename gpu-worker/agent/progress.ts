import { PROGRESS_INTERVAL_MS } from '#shared/protocol/limits.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { GenerateProgress } from '../ports/language-model.ts'

type Phase = JobProgress['phase']

export interface ProgressReporter {
  /** Tells of a new phase at once. */
  phase(phase: Phase, round: number): void
  /** Tells of the model's progress: at once where the phase is new, else once per interval. */
  model(progress: GenerateProgress, round: number): void
}

/** Turns what happens in a task into progress for its caller, at most once per interval within a phase. */
export function createProgressReporter(
  path: string,
  onProgress: (progress: JobProgress) => void,
  now: () => number = Date.now,
): ProgressReporter {
  let last = ''
  let toldAt = 0

  function tell(phase: Phase, round: number, tokens: number, message: string, tail?: string): void {
    const key = `${phase} ${round}`
    if (key === last && now() - toldAt < PROGRESS_INTERVAL_MS) return
    last = key
    toldAt = now()
    onProgress({ phase, round, tokens, message, ...(tail === undefined ? {} : { answer_tail: tail }) })
  }

  return {
    phase: (phase, round) => tell(phase, round, 0, `${words[phase]} ${path}`),
    model: (progress, round) => tell(progress.phase, round, progress.tokens, describe(progress, path), progress.tail),
  }
}

const words: Record<Phase, string> = {
  queued: 'Waiting for the model to write',
  loading_model: 'Loading the model to write',
  reading: 'Reading',
  prompt: 'Showing the model',
  generating: 'Writing',
  checking: 'Checking',
  writing: 'Saving',
  planning: 'Planning',
  scanning: 'Measuring',
  testing: 'Running tests on',
}

function describe({ phase, tokens, promptTokens, promptTokensTotal }: GenerateProgress, path: string): string {
  if (phase === 'prompt') return `${words.prompt} ${path}: ${promptTokens} of ${promptTokensTotal} tokens`
  return phase === 'generating' ? `${words.generating} ${path}: ${tokens} tokens` : `${words[phase]} ${path}`
}
