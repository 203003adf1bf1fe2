import type { JobProgress } from '#shared/schemas/job.ts'

const titles: Readonly<Record<JobProgress['phase'], string>> = {
  queued: 'Waiting',
  loading_model: 'Loading the model',
  reading: 'Reading the file',
  prompt: 'Showing it to the model',
  generating: 'Writing',
  checking: 'Checking',
  writing: 'Saving',
  planning: 'Planning',
  scanning: 'Measuring',
  testing: 'Running tests',
}

/** A phase in a few words; from the second attempt on with its number. */
export function stepTitle({ phase, round, tokens }: JobProgress): string {
  const attempt = round > 1 ? `, attempt ${round}` : ''
  const written = phase === 'generating' && tokens > 0 ? `: ${tokens} tokens` : ''
  return `${titles[phase]}${attempt}${written}`
}
