import { AppError } from '#shared/errors.ts'
import type { ActingAgent, EarlierTask } from '#shared/schemas/agent.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { ChatOutcome } from '#shared/tools/agents.ts'
import type { CodeFigures, ImprovementOutcome } from '#shared/tools/improvement-outcome.ts'
import { readCurrent } from '../agent/land.ts'
import { type AgentPorts, runAgentTask } from '../agent/loop.ts'
import { fileKind } from '../gates/file-kind.ts'
import type { ResolvedFile } from '../ports/file-tree.ts'
import type { Registry } from '../ports/registry.ts'
import { createOwnedFileTree, requireMayChange } from '../workspace/ownership.ts'
import { planDocstrings, planReadme } from './document.ts'
import { planOptimization } from './optimize.ts'
import type { ClaimedFile, Plan, PlanPorts, PlanRequest } from './plan.ts'
import { createProvingChecker, type Judgement } from './proving-checker.ts'
import { planRefactoring } from './refactor.ts'
import { planTests } from './write-tests.ts'

/** What is to become better, named as its tool is. */
export type Improvement =
  | { readonly action: 'refactor_code'; readonly goal: string }
  | { readonly action: 'generate_documentation'; readonly kind: 'docstrings' | 'readme' }
  | { readonly action: 'generate_tests' }
  /** Null: the only measure that the repository has. */
  | { readonly action: 'optimize_performance'; readonly measure: string | null }

export interface ImprovementTask {
  readonly improvement: Improvement
  /** The file of code that is meant, as the caller writes it. Its tests or its README may be what is written. */
  readonly path: string
  /**
   * Who acts. An agent changes its own file, and like anybody files that no agent owns; null changes only those. `not_owner`
   * for any other.
   */
  readonly agent: ActingAgent | null
  /** The agent's earlier tasks, oldest first. */
  readonly history: readonly EarlierTask[]
  readonly jobId: string | null
  /**
   * Whether the write ends the job: then the journal keeps the outcome with it, and a worker that comes back after a crash
   * answers with that. False for one of several writes of a job, which knows itself how far it came.
   */
  readonly endsJob: boolean
}

export interface ImprovementPorts extends Omit<AgentPorts, keyof PlanPorts>, PlanPorts {
  readonly registry: Registry
}

export interface ImprovementOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: JobProgress) => void
}

const DEFAULT_PROMPT = 'You improve code with care: small steps, plain names, the same behaviour.'

/**
 * Improves one file through the model, and keeps what the model wrote only where something other than the model says that
 * it is better: figures, the repository's tests, a measured command. Candidates are judged before they are anywhere in the
 * repository, and what is objected to goes back to the model, so a file is either improved or was never touched.
 *
 * Rejects with AppError, nothing then being changed: `checks_failed` where no round brought what may be kept (details:
 * `before` and `after` figures, `proof`, `diff` and `checks` of the best candidate, `attempts`, `usage`, `job_id`);
 * `invalid_input`, `not_found` or `already_exists` where there is nothing to improve or to judge it by; `unavailable` where
 * a judge cannot work here; `not_owner`, `conflict`, `cancelled`, and what the agent loop, FileTree and TestSuite reject with.
 */
export async function improveFile(
  task: ImprovementTask,
  ports: ImprovementPorts,
  options: ImprovementOptions,
): Promise<ImprovementOutcome> {
  const { signal } = options
  const claims = new Map<string, Claim>()
  const tell = (message: string): void => options.onProgress({ phase: 'testing', round: 1, tokens: 0, message })
  const claim = async (path: string): Promise<ClaimedFile> => {
    const claimed = await claimFile(path, task, ports, signal)
    claims.set(claimed.file.path, claimed)
    return claimed.file
  }
  const plan = await planFor(task.improvement, { path: task.path, ports, signal, claim, tell })
  const claimed = claims.get(plan.file.path)
  if (claimed === undefined) throw new Error('A plan changes a file that it has not claimed')
  return carryOut(plan, claimed, task, ports, options)
}

function planFor(improvement: Improvement, request: PlanRequest): Promise<Plan> {
  switch (improvement.action) {
    case 'refactor_code':
      return planRefactoring(improvement.goal, request)
    case 'generate_documentation':
      return improvement.kind === 'readme' ? planReadme(request) : planDocstrings(request)
    case 'generate_tests':
      return planTests(request)
    case 'optimize_performance':
      return planOptimization(improvement.measure, request)
  }
}

interface Claim {
  readonly file: ClaimedFile
  readonly resolved: ResolvedFile
  /** Who writes it: the acting agent where the file is its own, nobody where it is nobody's. */
  readonly writer: ActingAgent | null
}

async function claimFile(
  path: string,
  { agent }: ImprovementTask,
  { files, registry, figures }: ImprovementPorts,
  signal: AbortSignal,
): Promise<Claim> {
  const resolved = await files.resolve(path, 'write')
  const own = agent === null ? null : await files.resolve(agent.managed_file, 'write')
  const writer = own?.key === resolved.key ? agent : null
  await requireMayChange(resolved, writer, registry)
  const { text } = await readCurrent(files, resolved.path)
  let last: { readonly text: string; readonly figures: Promise<CodeFigures> } | undefined
  const measure = (candidate: string, measureSignal: AbortSignal): Promise<CodeFigures> => {
    if (last?.text !== candidate) last = { text: candidate, figures: figures(resolved.path, candidate, measureSignal) }
    return last.figures
  }
  const isMeasured = text !== null && fileKind(resolved.path).isCode
  const before = isMeasured ? await measure(text, signal) : null
  return { resolved, writer, file: { path: resolved.path, text, figures: before, measure } }
}

async function carryOut(
  { file, context, message, oracles }: Plan,
  { resolved, writer }: Claim,
  task: ImprovementTask,
  ports: ImprovementPorts,
  { signal, onProgress }: ImprovementOptions,
): Promise<ImprovementOutcome> {
  const { action } = task.improvement
  const files = createOwnedFileTree(ports.files, ports.registry, writer, signal)
  const checker = createProvingChecker({
    checker: ports.checker,
    oracles,
    before: file.text,
    measure: fileKind(file.path).isCode ? file.measure : null,
    onOracle: ({ rule }, round) =>
      onProgress({ phase: 'checking', round, tokens: 0, message: `Judging ${file.path}: ${rule}` }),
  })
  const toOutcome = (outcome: ChatOutcome): ImprovementOutcome => ({
    ...outcome,
    action,
    path: file.path,
    ...compared(file, checker.judgementOf(outcome.checks)),
  })
  try {
    const { outcome } = await runAgentTask(
      {
        mode: 'edit',
        agent: writer ?? { agent_id: null, managed_file: file.path, system_prompt: DEFAULT_PROMPT, model: null },
        file: resolved,
        context: Object.fromEntries(context.map((path, index) => [`file${index + 1}`, path])),
        message,
        history: writer === null ? [] : task.history,
        jobId: task.jobId,
      },
      { ...ports, files, checker },
      { signal, onProgress, journalled: (outcome) => (task.endsJob ? toOutcome(outcome) : null) },
    )
    return toOutcome(outcome)
  } catch (error) {
    throw toRefusal(error, task, file, checker.judgementOf(error instanceof AppError ? error.details?.checks : null))
  }
}

type Compared = Pick<ImprovementOutcome, 'before' | 'after' | 'proof' | 'tests' | 'mutants' | 'measurement'>

function compared({ figures }: ClaimedFile, judgement: Judgement | undefined): Compared {
  const { tests = null, mutants = null, measurement = null } = judgement?.facts ?? {}
  return {
    before: figures,
    after: judgement?.figures ?? null,
    proof: [...(judgement?.proof ?? [])],
    tests,
    mutants,
    measurement,
  }
}

/** A refusal for what was judged, with what a person needs to take the candidate all the same. */
function toRefusal(
  error: unknown,
  task: ImprovementTask,
  file: ClaimedFile,
  judgement: Judgement | undefined,
): unknown {
  if (!(error instanceof AppError) || error.code !== 'checks_failed') return error
  return new AppError(error.code, error.message, {
    cause: error,
    hint: 'The file is as it was. details.diff is the best candidate, which a person may take; or ask for less at once',
    details: {
      ...error.details,
      action: task.improvement.action,
      path: file.path,
      job_id: task.jobId,
      ...compared(file, judgement),
    },
  })
}
