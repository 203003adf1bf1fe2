import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTempRepository } from '#test/support/temp-repository.ts'
import { projectFolder } from '../../setup/paths.mjs'
import { startOn } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { createKeepAliveClient } from '../keep-alive-client.ts'
import { toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'
import { createToolCalls } from '../tool-calls.ts'

const run = promisify(execFile)
const START_SECONDS_MAX = 3

/** How long a user waits: for the set-up when there is nothing to do, and for a stack that has run before. */
export const measureStart: Figure = async ({ quick, signal }) => {
  const repository = await createTempRepository()
  const startAndStop = async (): Promise<number> => {
    const begun = performance.now()
    const stack = await startOn(repository, signal)
    const client = createKeepAliveClient(1)
    try {
      await createToolCalls(client, stack).call('list_agents', {})
      return secondsSince(begun)
    } finally {
      client.close()
      await stack.stop()
    }
  }
  const runNode = async (...args: string[]): Promise<number> => {
    const begun = performance.now()
    await run(process.execPath, args, { cwd: projectFolder, signal })
    return secondsSince(begun)
  }
  try {
    // The first start makes what later ones find.
    await startAndStop()
    const times = { node: [] as number[], setup: [] as number[], stack: [] as number[] }
    for (let round = 0; round < (quick ? 2 : 7); round++) {
      times.node.push(await runNode('-e', '0'))
      times.setup.push(await runNode(join('scripts', 'run.mjs'), 'setup'))
      times.stack.push(await startAndStop())
    }
    const node = { name: 'an empty Node program' }
    const against = (values: number[]) => ({ ...node, ratio: medianRatio(values, times.node) })
    return [
      toRow({ ...node, value: median(times.node), unit: 's' }),
      toRow({
        name: 'setup with nothing to do',
        value: median(times.setup),
        unit: 's',
        comparedWith: against(times.setup),
      }),
      toRow({
        name: 'second start until the endpoint answers',
        value: median(times.stack),
        unit: 's',
        comparedWith: against(times.stack),
        target: { of: 'value', max: START_SECONDS_MAX },
      }),
    ]
  } finally {
    repository.remove()
  }
}

const secondsSince = (begun: number): number => (performance.now() - begun) / 1000
