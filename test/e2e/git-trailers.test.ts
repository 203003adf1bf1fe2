import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LiveStack, startLiveStack } from '#test/support/live-stack.ts'
import { type OpenAiServer, startOpenAiServer } from '#test/support/openai-server.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'

// Which jobs of which agents made a commit: over MCP, with a model that says what it is told.

const answer = (value: number): string => `\`\`\`python\nvalue = ${value}\n\`\`\``

let server: OpenAiServer
let live: LiveStack
beforeAll(async () => {
  server = await startOpenAiServer({ model: createScriptedModel([answer(1), answer(2), answer(3), answer(4)]) })
  live = await startLiveStack({ model: [`openai:${server.url}#demo`] })
  await live.own('first.py', 'second.py')
})
afterAll(async () => {
  await live?.stop()
  await server?.close()
})

const task = async (agent_id: string): Promise<string> =>
  String((await live.client.ok('chat_with_agent', { agent_id, message: 'Write the next value' })).job_id)

/** The trailers of the last commit, as git finds them. */
const trailers = async (): Promise<string[]> =>
  (await live.repository.git('log', '-1', '--format=%(trailers:only)')).trim().split('\n')

describe('a commit', () => {
  it('names the agents and all jobs that wrote what is in it, and none of an earlier commit', async () => {
    const jobs = [await task('first'), await task('first'), await task('second')]
    await live.client.ok('git_commit', { message: 'Values\n\nFixes: #1' })
    expect(await trailers()).toEqual([
      'Fixes: #1',
      'Millwright-Agent: first',
      'Millwright-Agent: second',
      ...jobs.map((job) => `Millwright-Job: ${job}`),
    ])
    const last = await task('first')
    await live.client.ok('git_commit', { message: 'Another value', agent_id: 'first' })
    expect(await trailers()).toEqual(['Millwright-Agent: first', `Millwright-Job: ${last}`])
  })

  it('names the job that took a write back', async () => {
    const { jobs } = await live.client.ok('list_jobs', { agent_id: 'first' })
    const [newest] = jobs as { job_id: string }[]
    const { job_id } = await live.client.ok('chat_with_agent', {
      agent_id: 'first',
      message: 'Back',
      revert: newest?.job_id,
    })
    await live.client.ok('git_commit', { message: 'As before', paths: ['first.py'] })
    expect(await trailers()).toEqual(['Millwright-Agent: first', `Millwright-Job: ${job_id}`])
  })
})
