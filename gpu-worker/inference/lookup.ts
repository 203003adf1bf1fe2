import type { BatchCost } from './batch-cost.ts'

/**
 * Numbers of guessed tokens. With the token in front of them they fill the tiles in which the CPU's kernels work: 4 take
 * hardly longer than 3, and 16 less long than 12.
 */
const LENGTHS = [0, 1, 3, 7, 15] as const
/**
 * What one more token adds to a batch of one, before anything was measured. CPU: 0.4 with the shape of Qwen2.5-0.5B in
 * Q4_0. GPU: not measured; a batch of 16 reads the weights once, as one of 1 does, which is most of its time.
 */
const TOKEN_SHARE_CPU = 0.4
const TOKEN_SHARE_GPU = 0.05
/** A guess must promise this much, or the cost of being wrong about it is not worth the risk. */
const GAIN_MIN = 1.15

export const tokenShare = (onGpu: boolean): number => (onGpu ? TOKEN_SHARE_GPU : TOKEN_SHARE_CPU)

export interface LookupSituation {
  /** How likely a guessed token is right, where all before it were. */
  readonly acceptance: number
  /** Answers that share the batch, this one included; taken to guess as this one does. */
  readonly answers: number
  readonly cost: Pick<BatchCost, 'of' | 'knows'>
}

/**
 * How many tokens an answer should guess for its next batch: as many as bring the most tokens in the time that the batch
 * takes. None where it is not known how long the batch takes without, so that this is seen first. With few answers at once that is many; with many, whose tokens fill the batch already, it may be none.
 */
export function chooseGuessedTokens({ acceptance, answers, cost }: LookupSituation): number {
  if (!cost.knows(answers)) return 0
  const speeds = LENGTHS.map((length) => expectedTokens(acceptance, length) / cost.of(answers * (1 + length)))
  const alone = speeds[0] ?? 0
  let best = 0
  for (const [index, speed] of speeds.entries()) {
    if (speed > alone * GAIN_MIN && speed > (speeds[best] ?? 0)) best = index
  }
  return LENGTHS[best] ?? 0
}

/** The guessed ones up to the first that is wrong, and the one that the model itself then gives. */
function expectedTokens(acceptance: number, guessed: number): number {
  let tokens = 1
  for (let length = 1; length <= guessed; length++) tokens += acceptance ** length
  return tokens
}
