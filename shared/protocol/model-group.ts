import * as v from 'valibot'
import { WireError } from '../errors.ts'
import { Usage } from '../schemas/job.ts'
import { ModelInfo } from '../schemas/worker.ts'
import { AnswerGrammar } from './answer-grammar.ts'
import { WIRE_VERSION } from './subjects.ts'

// Between a repository worker and the model workers of a NATS queue group.
//
//   caller                                   member
//   ask (to the group, or to one member) ──>
//                                        <── accepted
//   go_on, every second                  ──>  begins with the first one
//                                        <── at_work, every second and with each progress
//                                        <── generated | counted | refused, until it is told stop
//   stop                                 ──>
//
// Either side that hears nothing for MODEL_SILENCE_MS gives the call up. An ask that lay around begins nothing: nobody
// says go_on for it any more.

const version = v.literal(WIRE_VERSION)

/** How often both sides of a call say that they are there. */
export const MODEL_BEAT_MS = 1000
/**
 * Silence after which the other side counts as gone. Five beats: a NATS server that is restarted is back within two, and
 * inference that takes every core holds a beat up by less than one. Waiting longer costs the caller of a dead worker.
 */
export const MODEL_SILENCE_MS = 5000
/** A member that listens accepts within milliseconds; one that is stopped or cut off never does. */
export const MODEL_ACCEPT_MS = 2000

/**
 * What a model is asked to generate, in the words of the port `LanguageModel`: a field is added here and there and nowhere
 * else. Strict: a member that does not know a field must not leave it out silently.
 */
export const ModelRequest = v.strictObject({
  turns: v.array(v.strictObject({ role: v.picklist(['system', 'user', 'assistant']), text: v.string() })),
  answerTokensMax: v.pipe(v.number(), v.maxValue(10_000_000)),
  temperature: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  cacheKey: v.exactOptional(v.string()),
  grammar: v.exactOptional(AnswerGrammar),
})
export type ModelRequest = v.InferOutput<typeof ModelRequest>

/** Longer than any call, and short enough for a timer. */
const DAY_MS = 24 * 60 * 60_000

/** Of a model worker; becomes part of a subject. */
const MemberId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{8,64}$/))

const askEntries = {
  v: version,
  /** Of the call; unguessable, made anew for each attempt. */
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{8,64}$/)),
  model: v.string(),
  /** A duration and no moment: two machines' clocks differ. */
  time_left_ms: v.pipe(v.number(), v.minValue(0), v.maxValue(DAY_MS)),
}

/** Work for a model. */
export const ModelAsk = v.variant('kind', [
  v.object({ ...askEntries, kind: v.literal('generate'), request: ModelRequest }),
  v.object({ ...askEntries, kind: v.literal('count'), text: v.string() }),
])
export type ModelAsk = v.InferOutput<typeof ModelAsk>

export const ModelProgress = v.object({
  phase: v.picklist(['queued', 'loading_model', 'prompt', 'generating']),
  tokens: v.number(),
  promptTokens: v.number(),
  promptTokensTotal: v.number(),
  tail: v.optional(v.string()),
})
export type ModelProgress = v.InferOutput<typeof ModelProgress>

const answerEntries = { v: version, id: v.string(), member: MemberId }
const endEntries = { ...answerEntries, info: ModelInfo }

/** What a member says of a call. The last three end it. */
export const ModelAnswer = v.variant('kind', [
  v.object({ ...answerEntries, kind: v.literal('accepted') }),
  v.object({ ...answerEntries, kind: v.literal('at_work'), progress: v.nullable(ModelProgress) }),
  v.object({
    ...endEntries,
    kind: v.literal('generated'),
    text: v.string(),
    stop_reason: v.picklist(['end', 'length']),
    usage: Usage,
  }),
  v.object({ ...endEntries, kind: v.literal('counted'), tokens: v.number() }),
  /** `info` is null where the member has no such model. */
  v.object({ ...answerEntries, kind: v.literal('refused'), info: v.nullable(ModelInfo), error: WireError }),
])
export type ModelAnswer = v.InferOutput<typeof ModelAnswer>
export type ModelEnd = Extract<ModelAnswer, { kind: 'generated' | 'counted' | 'refused' }>

/** What a caller says of a call under way. `stop` frees the model, and is said of every call that is over. */
export const ModelControl = v.object({ v: version, say: v.picklist(['go_on', 'stop']) })
export type ModelControl = v.InferOutput<typeof ModelControl>

export const FindModels = v.object({ v: version })
export type FindModels = v.InferOutput<typeof FindModels>

/** A model worker, as it introduces itself. */
export const ModelMember = v.object({
  v: version,
  member: MemberId,
  /** Of its machine, for a person. */
  host: v.pipe(v.string(), v.maxLength(255)),
  models: v.array(ModelInfo),
})
export type ModelMember = v.InferOutput<typeof ModelMember>
