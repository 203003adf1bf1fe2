import { AppError } from '#shared/errors.ts'
import type { AgentId } from '#shared/ids.ts'
import type { Proposal } from '#shared/protocol/chat-job.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { ActingAgent, EarlierTask } from '#shared/schemas/agent.ts'
import type { Checks, Violation } from '#shared/schemas/check.ts'
import type { JobProgress, Usage } from '#shared/schemas/job.ts'
import type { ChatOutcome } from '#shared/tools/agents.ts'
import { defaultSettingsSource, type SettingsSource } from '../gates/settings-source.ts'
import type { FileTree, ResolvedFile } from '../ports/file-tree.ts'
import type { ChatTurn, GenerateResult, LanguageModel } from '../ports/language-model.ts'
import { decodeText, encodeText } from '../workspace/text.ts'
import type { AnswerForm } from './answer-form.ts'
import { answerRoom, spareTokens } from './answer-room.ts'
import type { Candidate } from './candidate.ts'
import { chooseForm } from './choose-form.ts'
import { diffTexts } from './diff.ts'
import { type CurrentFile, hashBytes, type Landed, type LandPorts, landFile, readCurrent } from './land.ts'
import { tellEarlier } from './memory.ts'
import { createProgressReporter, type ProgressReporter } from './progress.ts'
import { type ContextFile, createPrompt, createRepair, type Failure, type PromptRequest } from './prompt.ts'
import { sumUsage } from './usage.ts'

export interface AgentTask {
  readonly mode: 'edit' | 'propose' | 'ask'
  readonly agent: Writer
  /** The agent's file, resolved for writing. The caller has made sure that the agent owns it. */
  readonly file: ResolvedFile
  /** Any names, and the paths of files to show to the model. */
  readonly context: Readonly<Record<string, string>>
  readonly message: string
  /** The agent's earlier tasks, oldest first. */
  readonly history: readonly EarlierTask[]
  readonly jobId: string | null
}

/** Who writes: an agent; without an id nobody's, for a file that no agent owns. */
export type Writer = Omit<ActingAgent, 'agent_id'> & { readonly agent_id: AgentId | null }

export interface AgentPorts extends LandPorts {
  readonly model: LanguageModel
  /** Left out: the defaults. */
  readonly settings?: SettingsSource
}

export interface AgentOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: JobProgress) => void
  /**
   * What the journal keeps with the write as the outcome of its job, which then has ended: null for one of several writes
   * of a job. Left out: the outcome itself.
   */
  readonly journalled?: (outcome: ChatOutcome) => Readonly<Record<string, unknown>> | null
}

export interface AgentResult {
  readonly outcome: ChatOutcome
  /** Set by `propose`: what must be kept to write exactly these bytes later. */
  readonly proposal: Proposal | null
}

export const ROUNDS_MAX = 3
/** Earlier tasks are a reminder; the file holds what came of them. */
const EARLIER_TOKENS_MAX = 1024
/** The section's heading and the blank lines in it. */
const EARLIER_FRAME_TOKENS = 32
/**
 * Models with less context are small ones, which write worse files when they are shown more than the task: the demo model
 * did 24 of 24 tasks without and none behind a task that had failed. Questions are told of earlier tasks by every model.
 */
const EARLIER_CONTEXT_TOKENS_MIN = 8192

/**
 * Does one task on an agent's file: asks the model, judges its answer, asks again with what failed, and writes what
 * passes. In mode `propose` the bytes go into git's object store only; in mode `ask` the answer is text.
 *
 * Rejects with AppError, the file then being as it was: `checks_failed` where no round brought a file that passes (with
 * `checks`, `diff`, `attempts`, `usage` and `reply` in the details), `conflict` where the file changed meanwhile,
 * `too_large`, `cancelled`; what FileTree says of a context file, before any token; and what LanguageModel rejects with.
 */
export async function runAgentTask(task: AgentTask, ports: AgentPorts, options: AgentOptions): Promise<AgentResult> {
  const progress = createProgressReporter(task.file.path, options.onProgress)
  progress.phase('reading', 1)
  const current = await readCurrent(ports.files, task.file.path)
  const request: PromptRequest = {
    systemPrompt: task.agent.system_prompt,
    path: task.file.path,
    text: current.text,
    context: await readContext(task, ports.files),
    rules: task.mode === 'ask' ? [] : await ports.checker.rules(task.file.path),
    message: task.message,
    isQuestion: task.mode === 'ask',
  }
  const { settings } = await (ports.settings ?? defaultSettingsSource)()
  const form = chooseForm(task.file.path, current.text, settings.editsAboveLines)
  // A question is about the file as it stands, without numbers.
  const shown = task.mode === 'ask' ? undefined : form.prompt
  const bare = createPrompt(request, shown)
  const earlier = await recall(task, bare, form.rewritten, ports.model, options.signal)
  const prompt = earlier === null ? bare : createPrompt({ ...request, earlier }, shown)
  const run: Run = { task, ports, options, progress, current, form, usages: [] }
  try {
    return await (task.mode === 'ask' ? answerQuestion(run, prompt) : writeFile(run, prompt))
  } catch (error) {
    throw withUsage(error, run)
  }
}

/** A refusal that tells what the rounds before it have cost, whatever it is for. */
function withUsage(error: unknown, run: Run): unknown {
  if (!(error instanceof AppError) || run.usages.length === 0 || error.details?.usage !== undefined) return error
  return new AppError(error.code, error.message, {
    cause: error,
    details: { ...error.details, usage: usageOf(run) },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}

interface Run {
  readonly task: AgentTask
  readonly ports: AgentPorts
  readonly options: AgentOptions
  readonly progress: ProgressReporter
  readonly current: CurrentFile
  readonly form: AnswerForm
  readonly usages: Usage[]
}

/** A round's answer and what was found in it. */
interface Attempt {
  readonly reply: string
  readonly prose: string
  /** Null where the reply held no file. */
  readonly text: string | null
  readonly checks: Checks
  readonly failures: readonly Failure[]
  readonly tell: Candidate['tell']
}

/** What the model is told of the agent's earlier tasks: what fits beside the task, which is never cut for it. */
async function recall(
  { mode, history }: AgentTask,
  bare: readonly ChatTurn[],
  fileText: string,
  model: LanguageModel,
  signal: AbortSignal,
): Promise<string | null> {
  if (history.length === 0) return null
  // Counting loads the model; before, its context is not known.
  const spare = await spareTokens(model, bare, mode === 'ask' ? '' : fileText, signal)
  const contextTokens = model.info().context_tokens
  if (spare === null || contextTokens === null) return null
  if (mode !== 'ask' && contextTokens < EARLIER_CONTEXT_TOKENS_MIN) return null
  const tokensMax = Math.min(EARLIER_TOKENS_MAX, Math.floor(contextTokens / 8), spare - EARLIER_FRAME_TOKENS)
  return tellEarlier(history, tokensMax, (text) => model.countTokens(text, signal))
}

async function readContext({ context, file }: AgentTask, files: FileTree): Promise<ContextFile[]> {
  const shown = new Map<string, ContextFile>()
  for (const path of Object.values(context)) {
    const found = await files.read(path, FILE_BYTES_MAX)
    if (found.path !== file.path) shown.set(found.path, { path: found.path, text: decodeText(found.path, found.bytes) })
  }
  return [...shown.values()]
}

async function generate(run: Run, turns: readonly ChatTurn[], round: number): Promise<GenerateResult> {
  const { task, ports, options, progress, form } = run
  const { signal } = options
  const fileText = task.mode === 'ask' ? '' : form.rewritten
  const answerTokensMax = await answerRoom(ports.model, turns, fileText, signal)
  const result = await ports.model.generate(
    {
      turns,
      answerTokensMax,
      temperature: 0,
      // No agent's id has a slash in front.
      cacheKey: task.agent.agent_id ?? `/${task.file.path}`,
      ...(task.mode === 'ask' ? {} : { grammar: form.grammar }),
    },
    { signal, onProgress: (now) => progress.model(now, round) },
  )
  run.usages.push(result.usage)
  return result
}

async function answerQuestion(run: Run, prompt: readonly ChatTurn[]): Promise<AgentResult> {
  const { text, stopReason } = await generate(run, prompt, 1)
  const reply = text.trim()
  if (reply === '') {
    throw new AppError('checks_failed', `Cannot answer about "${run.task.file.path}": the model said nothing`, {
      hint: 'Put the question in other words',
      details: { attempts: 1, usage: usageOf(run), reply },
    })
  }
  const outcome = toOutcome(run, {
    reply: stopReason === 'length' ? `${reply}\n[cut: the answer was longer than its room]` : reply,
    sha256: run.current.sha256,
  })
  return { outcome, proposal: null }
}

async function writeFile(run: Run, prompt: readonly ChatTurn[]): Promise<AgentResult> {
  const attempts: Attempt[] = []
  let turns = prompt
  while (attempts.length < ROUNDS_MAX) {
    const result = await nextReply(run, turns, attempts)
    if (result === null) break
    const attempt = await judge(run, result, attempts.length + 1)
    const last = attempts.at(-1)
    attempts.push(attempt)
    if (attempt.failures.length === 0 && attempt.text !== null) return finish(run, attempt, attempt.text)
    if (last !== undefined && bringsNothing(attempt, last)) break
    const { reply, failures, tell } = attempt
    turns = createRepair(prompt, reply, tell?.(failures) ?? failures, run.form.prompt)
  }
  throw refusal(run, attempts)
}

/** The next answer; null where a repair does not fit into the context, which leaves what the rounds before brought. */
async function nextReply(
  run: Run,
  turns: readonly ChatTurn[],
  attempts: readonly Attempt[],
): Promise<GenerateResult | null> {
  try {
    return await generate(run, turns, attempts.length + 1)
  } catch (error) {
    if (attempts.length > 0 && error instanceof AppError && error.code === 'context_overflow') return null
    throw error
  }
}

async function judge(run: Run, result: GenerateResult, round: number): Promise<Attempt> {
  const { task, ports, options, progress, current } = run
  const { path } = task.file
  progress.phase('checking', round)
  const candidate = run.form.read(result, task.message)
  const { text, prose, failures: found, tell } = candidate
  // Refuses what is too large to be a file before a parser sees it.
  if (text !== null) encodeText(path, text, FILE_BYTES_MAX)
  if (text === null || found.length > 0) return failed(result.text, candidate)
  const { checks } = await ports.checker.check({ path, text, before: current.text, task: task.message }, options.signal)
  const failures = checks.violations.filter(({ severity }) => severity === 'error')
  return { reply: result.text, prose, text, checks, failures, tell }
}

/** An answer that a guard turned down: no check has run on it. */
function failed(reply: string, { text, prose, failures, tell }: Candidate): Attempt {
  const violations = failures.map((failure): Violation => ({ ...failure, severity: 'error', column: null }))
  return { reply, prose, text, failures, tell, checks: { passed: false, ran: [], skipped: [], violations } }
}

/** Whether a round repeated the one before it: the same words, or another text with the very same faults. */
function bringsNothing(now: Attempt, before: Attempt): boolean {
  const faults = ({ failures }: Attempt): string =>
    JSON.stringify(failures.map(({ rule, message, line }) => [rule, message, line]))
  return now.reply === before.reply || faults(now) === faults(before)
}

async function finish(run: Run, attempt: Attempt, text: string): Promise<AgentResult> {
  const { task, ports, options, progress, current } = run
  progress.phase('writing', run.usages.length)
  if (task.mode === 'propose') return propose(run, attempt, text)
  const outcomeOf = (landed: Landed): ChatOutcome =>
    toOutcome(run, {
      reply: attempt.prose === '' ? summary('Wrote', task.file.path, landed) : attempt.prose,
      changed: landed.changed,
      diff: landed.diff,
      diff_truncated: landed.diffTruncated,
      checks: landed.checks,
      sha256: landed.sha256,
    })
  const landed = await landFile(
    {
      file: task.file,
      text,
      expectedSha256: current.sha256,
      dryRun: false,
      jobId: task.jobId,
      agentId: task.agent.agent_id,
      checks: attempt.checks,
      outcome: (written) => (options.journalled ?? ((each) => each))(outcomeOf(written)),
    },
    ports,
    options.signal,
  )
  return { outcome: outcomeOf(landed), proposal: null }
}

async function propose(run: Run, attempt: Attempt, text: string): Promise<AgentResult> {
  const { task, ports, current } = run
  const { path } = task.file
  const bytes = encodeText(path, text, FILE_BYTES_MAX)
  const change = diffTexts(path, current.text, text)
  const sha256 = hashBytes(bytes)
  const blob = await ports.repository.storeBlob(bytes)
  const outcome = toOutcome(run, {
    reply: attempt.prose === '' ? summary('Proposed', path, change) : attempt.prose,
    diff: change.diff,
    diff_truncated: change.truncated,
    checks: attempt.checks,
    sha256,
    proposal_id: task.jobId,
  })
  return { outcome, proposal: { path, blob, sha256, base_sha256: current.sha256 } }
}

const summary = (did: string, path: string, change: { insertions: number; deletions: number }): string =>
  `${did} ${path}: +${change.insertions} -${change.deletions}`

const usageOf = (run: Run): Usage => sumUsage(run.usages, run.ports.model.name)

/** An outcome of which only some fields are told: the others say that nothing was changed. */
function toOutcome(run: Run, told: Partial<ChatOutcome> & Pick<ChatOutcome, 'reply'>): ChatOutcome {
  return {
    changed: false,
    diff: '',
    diff_truncated: false,
    checks: null,
    attempts: run.usages.length,
    usage: usageOf(run),
    proposal_id: null,
    sha256: null,
    ...told,
  }
}

/** The refusal, with the attempt that came nearest: a file rather than none, then the fewest failures, then the latest. */
function refusal(run: Run, attempts: readonly Attempt[]): AppError {
  const best = attempts
    .toReversed()
    .sort((a, b) => Number(a.text === null) - Number(b.text === null) || a.failures.length - b.failures.length)[0]
  if (best === undefined) throw new Error('A task ended without a round')
  const { path } = run.task.file
  const { diff, truncated } =
    best.text === null ? { diff: '', truncated: false } : diffTexts(path, run.current.text, best.text)
  const [first] = best.failures
  const rounds = attempts.length === 1 ? 'its only attempt' : `the best of ${attempts.length} attempts`
  return new AppError('checks_failed', `Cannot write "${path}": ${rounds} failed (${first?.rule}: ${first?.message})`, {
    hint: 'The file is as it was. Say the task in smaller steps, or write the file with agent_update_file',
    details: {
      checks: best.checks,
      diff,
      diff_truncated: truncated,
      attempts: attempts.length,
      usage: usageOf(run),
      reply: best.reply,
    },
  })
}
