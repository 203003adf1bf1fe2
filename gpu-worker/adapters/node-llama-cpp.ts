import { fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { ChildMessage } from '../inference/child-protocol.ts'
import { LEVERS_DEFAULT, type Levers } from '../inference/levers.ts'
import { createLogTail } from '../inference/log-tail.ts'
import type { ModelChild, ModelChildEvents } from '../inference/model-child.ts'
import { ModelSupervisor, type SupervisorTimes } from '../inference/model-supervisor.ts'
import { type ModelReference, parseModelReference } from '../inference/models.ts'
import { createDigestCheck } from './model-digest.ts'
import { inspectModelFile, readFingerprint } from './model-file.ts'
import { nameStates } from './states-folder.ts'

const CHILD_FILE = fileURLToPath(new URL('node-llama-cpp-child.ts', import.meta.url))
const DEMO_FILE = fileURLToPath(new URL('../../models/demo/millwright-demo.gguf', import.meta.url))

export interface LlamaModelOptions {
  /** As `--model` says it: a known name, a path, a URI; or parsed already. Left out: chosen by what the machine has. */
  readonly reference?: string | ModelReference
  /** Downloads are kept here; made when needed. */
  readonly modelsFolder: string
  /** Left out: by cores and load when the model is loaded. */
  readonly threads?: number
  /** Upper bound of the context of one answer; the model's own limit and the memory may make it smaller. */
  readonly contextTokensMax?: number
  /** Answers at the same time, at most 64. Left out: by the memory found, at most four. */
  readonly slots?: number
  /** What is left out is as it is best, or as llama.cpp's practice is. */
  readonly levers?: Partial<Levers>
  /** Calls that may wait; one more is `busy`. */
  readonly queueMax?: number
  /** Load now, not with the first call. */
  readonly preload?: boolean
  /**
   * Lets more callers keep their prompts than there are slots, in files below the folder (made when needed). They hold
   * what is in the prompts, and live no longer than the process. Left out, or with no bytes: nothing is kept.
   */
  readonly states?: { readonly folder: string; readonly bytesMax: number }
  /** `false` keeps it on the CPU. */
  readonly gpu?: 'auto' | false
  /** Progress of a call comes no more often than this; 0 tells of every token. Left out: a few times a second. */
  readonly progressIntervalMs?: number
  /** Of the child. The library reads HF_ENDPOINT, HF_TOKEN and CUDA_VISIBLE_DEVICES from it. */
  readonly environment?: NodeJS.ProcessEnv
  /** What happens to the process, in lines for the daemon's log. */
  readonly log?: (line: string) => void
  readonly times?: Partial<SupervisorTimes>
}

const DEFAULT_TIMES: SupervisorTimes = {
  silenceMax: 60_000,
  loadSilenceMax: 180_000,
  downloadSilenceMax: 60_000,
  retryAfter: 60_000,
  restartDelays: [100, 500, 2000, 10_000, 30_000],
  abortGrace: 5000,
  fileLook: 3000,
}

const LAST_WORDS_MS = 500
/** What people see; more only costs. */
const PROGRESS_INTERVAL_MS = 250

/** 0.9 GB of cache for a 7B model, and room for the largest managed file with its context files. */
const CONTEXT_TOKENS_MAX = 16_384

/**
 * A llama.cpp model in a process of its own. Returns at once; a process runs from the first call on, or from now with
 * `preload`, until `close`. Throws AppError `invalid_input` for a reference that means nothing.
 */
export function createLlamaModel(options: LlamaModelOptions): ModelSupervisor {
  const reference = typeof options.reference === 'object' ? options.reference : parseModelReference(options.reference)
  const model = new ModelSupervisor({
    reference,
    spawn: (events) => spawnChild(events, options),
    inspect: createInspection(reference),
    fingerprint: readFingerprint,
    embeddedPath: DEMO_FILE,
    modelsFolder: options.modelsFolder,
    threads: options.threads ?? null,
    contextTokensMax: options.contextTokensMax ?? CONTEXT_TOKENS_MAX,
    slots: options.slots ?? null,
    levers: { ...LEVERS_DEFAULT, ...options.levers },
    queueMax: options.queueMax ?? 32,
    log: options.log ?? (() => {}),
    times: { ...DEFAULT_TIMES, ...options.times },
  })
  if (options.preload === true) model.retry()
  return model
}

/** The hash is read last: whatever else is wrong is found sooner. */
function createInspection({ sha256 }: ModelReference): (path: string, signal: AbortSignal) => Promise<void> {
  const checkDigest = sha256 === undefined ? null : createDigestCheck(sha256)
  return async (path, signal) => {
    await inspectModelFile(path)
    await checkDigest?.(path, signal)
  }
}

function spawnChild(events: ModelChildEvents, options: LlamaModelOptions): ModelChild {
  const tail = createLogTail()
  const states = makeStatesFolder(options)
  const child = fork(
    CHILD_FILE,
    [
      options.gpu === false ? 'cpu' : 'auto',
      String(options.progressIntervalMs ?? PROGRESS_INTERVAL_MS),
      ...states.args,
    ],
    {
      // Before 22.18 Node runs TypeScript only when told to.
      execArgv: process.versions.node.startsWith('22.') ? ['--experimental-strip-types', '--no-warnings'] : [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...(options.environment ?? process.env),
        // Four threads that wait for a file would stop inference dead: it runs on the same pool.
        UV_THREADPOOL_SIZE: '16',
        // On an abort the engine would start a debugger on itself.
        GGML_NO_BACKTRACE: '1',
        // Downloads go through the proxy that HTTPS_PROXY names, as the user's other programs do.
        NODE_USE_ENV_PROXY: '1',
      },
    },
  )
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new StringDecoder('utf8')
    stream?.on('data', (bytes: Buffer) => tail.write(decoder.write(bytes)))
  }
  child.on('message', (message) => {
    const parsed = v.safeParse(ChildMessage, message)
    if (parsed.success) events.onMessage(parsed.output)
    else child.kill('SIGKILL')
  })
  let gone = false
  const reportExit = (how: string) => {
    if (gone) return
    gone = true
    void states.remove().then(() => events.onExit(how))
  }
  // A process that never started has no exit to report.
  child.on('error', (error) => {
    if (child.pid === undefined) reportExit(`could not be started (${error.message})`)
  })
  // Its last lines arrive before "close", which may never come while a process that it started holds its output.
  child.on('exit', (code, signal) => {
    const how = signal === null ? `exited with code ${code}` : `was killed (${signal})`
    child.on('close', () => reportExit(how))
    setTimeout(reportExit, LAST_WORDS_MS, how)
  })
  return {
    processId: child.pid ?? null,
    send: (request) => {
      if (child.connected) child.send(request, () => {})
    },
    kill: () => void child.kill('SIGKILL'),
    logTail: tail.lines,
  }
}

function makeStatesFolder({ states, log }: LlamaModelOptions): { args: string[]; remove: () => Promise<void> } {
  if (states === undefined || states.bytesMax < 1) return { args: [], remove: async () => {} }
  const folder = nameStates(states.folder)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    log?.(`Prompts of agents without a slot are not kept: ${error instanceof Error ? error.message : String(error)}`)
    return { args: [], remove: async () => {} }
  }
  const remove = () => rm(folder, { recursive: true, force: true }).catch(() => {})
  return { args: [folder, String(states.bytesMax)], remove }
}
