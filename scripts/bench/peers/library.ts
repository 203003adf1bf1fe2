import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { type Contender, type ContenderOptions, toChatMl } from './contender.ts'
import { type LibraryAnswer, LibraryMessage, type LibraryRequest } from './library-protocol.ts'

/** node-llama-cpp as it comes, in a process of its own. */
export interface Library extends Contender {
  /** A prompt as text with control tokens, in an empty sequence; told by the process's own clock. */
  answer(prompt: string, answerTokensMax: number): Promise<LibraryAnswer>
}

/** Resolves when the model is loaded. */
export async function startLibrary({ modelFile, slots, contextTokens, signal }: ContenderOptions): Promise<Library> {
  const child = fork(fileURLToPath(new URL('library-process.ts', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const loaded = Promise.withResolvers<void>()
  const pending = new Map<number, PromiseWithResolvers<LibraryAnswer>>()
  child.on('message', (message) => {
    const answer = v.parse(LibraryMessage, message)
    if (answer.kind === 'loaded') loaded.resolve()
    else pending.get(answer.id)?.resolve(answer)
  })
  child.once('exit', (code, how) => {
    const error = new Error(`The process of node-llama-cpp ended (${how ?? code})`)
    loaded.reject(error)
    for (const { reject } of pending.values()) reject(error)
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
  const send = (request: LibraryRequest) => child.send(request)

  let lastId = 0
  const ask = async (slot: number, prompt: string, answerTokensMax: number, fresh: boolean): Promise<LibraryAnswer> => {
    const id = ++lastId
    const answer = Promise.withResolvers<LibraryAnswer>()
    pending.set(id, answer)
    send({ kind: 'generate', id, slot, prompt, answerTokensMax, fresh })
    try {
      return await answer.promise
    } finally {
      pending.delete(id)
    }
  }
  try {
    send({ kind: 'load', modelFile, slots, contextTokens })
    await loaded.promise
  } catch (error) {
    await stop()
    throw error
  }
  return {
    generate: ({ agent, text, answerTokensMax }) => ask(agent, toChatMl(text), answerTokensMax, false),
    answer: (prompt, answerTokensMax) => ask(0, prompt, answerTokensMax, true),
    stop,
  }
}
