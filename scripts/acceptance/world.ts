import { createAnsweringModel } from '#test/support/answering-model.ts'
import { type BrowserWorld, startBrowserWorld } from '#test/support/browser-world.ts'
import { improvableFiles, improvedAnswer, inFence } from '#test/support/improvable.ts'
import { startOpenAiServer } from '#test/support/openai-server.ts'
import { connectMeasured, type MeasuredClient } from './measured-client.ts'

/** The running system of an acceptance run. */
export interface AcceptanceWorld extends BrowserWorld {
  readonly measured: MeasuredClient
}

export interface AcceptanceWorldOptions {
  /** As `--model` says it. */
  readonly model: string
  readonly threads?: number
  readonly modelsFolder?: string
}

/** Agents that are to improve something name this one: what it answers is a fixture's, and only that. */
export const SCRIPTED_MODEL = 'scripted'

/** Waits half a second, which stands out on the busiest machine; the scripted model knows how not to. */
const SLOW_FILE = 'lib/rest.js'
const slowCode = 'export const rest = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)\n'

const files: Readonly<Record<string, string>> = {
  ...improvableFiles(),
  'README.md': '# Sample\n\nA repository for an acceptance run.\n',
  [SLOW_FILE]: slowCode,
  'bench.js': `import { rest } from './${SLOW_FILE}'\nrest()\n`,
  'millwright.json': `${JSON.stringify({ measures: [{ name: 'rest', run: ['node', 'bench.js'], runs: 6 }] })}\n`,
  '.pre-commit-config.yaml':
    'repos:\n  - repo: local\n    hooks:\n      - { id: present, name: The files are there, entry: test -e, language: system }\n',
}

/**
 * Starts everything on a repository that is made for the run: the edge, NATS, a worker with the model of the run and the
 * scripted one beside it. `stop` ends and removes all of it.
 */
export async function startAcceptanceWorld(options: AcceptanceWorldOptions): Promise<AcceptanceWorld> {
  const scripted = createAnsweringModel((request) => {
    const asksForSpeed = request.turns[0]?.text.includes(`\`${SLOW_FILE}\``) === true
    return asksForSpeed ? inFence(slowCode.replace('500', '1')) : improvedAnswer(request)
  })
  const server = await startOpenAiServer({ model: scripted, listed: [SCRIPTED_MODEL] })
  try {
    const world = await startBrowserWorld({
      files,
      model: [options.model, `${SCRIPTED_MODEL}=openai:${server.url}#${SCRIPTED_MODEL}`],
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.modelsFolder === undefined ? {} : { modelsFolder: options.modelsFolder }),
    })
    try {
      const measured = await connectMeasured(world.stack.url, world.stack.token)
      return {
        ...world,
        measured,
        async stop() {
          await measured.close().catch(() => undefined)
          await world.stop()
          await server.close()
        },
      }
    } catch (error) {
      await world.stop()
      throw error
    }
  } catch (error) {
    await server.close()
    throw error
  }
}
