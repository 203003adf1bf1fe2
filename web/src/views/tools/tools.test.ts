import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import { catalogue } from '#shared/tools/catalogue.ts'
import type { CallOptions, ListedTool, ToolAnswer } from '../../api/tools.ts'
import { findDiff, findRunningJob, toDuration } from './answer-parts.ts'
import { quote, toCurlLine } from './curl-line.ts'
import { CALLS_MAX, createToolDesk } from './tool-desk.ts'
import { groupTools } from './tool-groups.ts'

const listed = (name: string, description = ''): ListedTool => ({
  name,
  title: name,
  description,
  inputSchema: {},
  isReading: true,
  isDestructive: false,
})

describe('the line for curl', () => {
  it.each(["it's", '$HOME `id` "x" \\', '@file\n\ttwo\r\nlines ü ‘’', "''", ''])(
    'reaches curl to the character: %j',
    (text) => {
      expect(execFileSync('sh', ['-c', `printf %s ${quote(text)}`], { encoding: 'utf8' })).toBe(text)
    },
  )

  it('names no token and is one command', () => {
    const line = toCurlLine('http://127.0.0.1:1/mcp', 'write_file', { path: 'a', content: "it's\n" })
    const shown = execFileSync('sh', ['-c', line.replace(/^curl/, 'printf "%s|"')], {
      encoding: 'utf8',
      env: { MILLWRIGHT_TOKEN: 'T K' },
    })
    expect(shown).toContain('|Authorization: Bearer T K|')
    expect(JSON.parse(shown.split('|').at(-2) ?? '')).toMatchObject({
      params: { name: 'write_file', arguments: { path: 'a', content: "it's\n" } },
    })
  })
})

describe('the selector', () => {
  it('has every tool once, by family', () => {
    const groups = groupTools(
      catalogue.map(({ name }) => listed(name)),
      '',
    )
    expect(groups.flatMap((group) => group.tools.map(({ name }) => name)).sort()).toEqual(
      catalogue.map(({ name }) => name).sort(),
    )
    expect(groups.map(({ title }) => title)).not.toContain('Other')
  })

  it('finds by words of name and description, and keeps what it does not know', () => {
    const tools = [listed('git_log', 'Commits, newest first'), listed('git_diff'), listed('brand_new')]
    expect(groupTools(tools, 'GIT newest').flatMap((group) => group.tools)).toEqual([tools[0]])
    expect(groupTools(tools, '').at(-1)).toEqual({ title: 'Other', tools: [tools[2]] })
    expect(groupTools(tools, 'nothing such')).toEqual([])
  })
})

describe('an answer', () => {
  it('has a diff where there is one, also in the result of a job', () => {
    const diff = '--- a\n+++ a\n@@ -1 +1 @@\n-a\n+b\n'
    expect(findDiff({ diff })).toBe(diff)
    expect(findDiff({ job: {}, result: { diff } })).toBe(diff)
    expect(findDiff({ diff: '' })).toBeUndefined()
    expect(findDiff(undefined)).toBeUndefined()
  })

  it('has a job to wait for while it runs', () => {
    expect(findRunningJob({ job_id: 'job_1', state: 'running' })).toBe('job_1')
    expect(findRunningJob({ job_id: 'job_1', state: 'succeeded' })).toBeUndefined()
  })

  it('took a time that people can read', () => {
    expect([85.4, 1249, 125_000].map(toDuration)).toEqual(['85 ms', '1.2 s', '2 min 5 s'])
  })
})

/** Calls that end when the test says so, as the connection would end them. */
function createDesk() {
  const pending: { name: string; options: CallOptions; resolve: (answer: ToolAnswer) => void }[] = []
  const ended: string[] = []
  let nowMs = 1000
  const pass = (ms: number) => {
    nowMs += ms
  }
  const desk = createToolDesk({
    now: () => nowMs,
    onEnd: (tool) => ended.push(tool),
    tools: {
      callByName: (name, _args, options = {}) =>
        new Promise((resolve, reject) => {
          pending.push({ name, options, resolve })
          options.signal?.addEventListener('abort', () => reject(new AppError('cancelled', 'Stopped')))
        }),
    },
  })
  return { desk, pending, ended, pass }
}
const answer: ToolAnswer = { text: 'done', fields: {}, pictures: [] }
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the desk', () => {
  it('keeps a call from its start to its end', async () => {
    const { desk, pending, ended, pass } = createDesk()
    desk.run('git_log', { limit: 1 })
    pending[0]?.options.onProgress?.({ progress: 1, total: 2, message: 'half' })
    expect(desk.calls.get()).toMatchObject([{ tool: 'git_log', endedMs: null, progress: { message: 'half' } }])
    pass(250)
    pending[0]?.resolve(answer)
    await settled()
    expect(desk.calls.get()).toMatchObject([{ startedMs: 1000, endedMs: 1250, answer, error: null }])
    expect(ended).toEqual(['git_log'])
  })

  it('stops the one that is meant', async () => {
    const { desk } = createDesk()
    const first = desk.run('run_tests', {})
    desk.run('git_log', {})
    desk.stop(first)
    await settled()
    expect(desk.calls.get()).toMatchObject([{ endedMs: null }, { error: { code: 'cancelled' } }])
  })

  it('forgets the oldest that have ended, and never one that runs', async () => {
    const { desk, pending } = createDesk()
    const running = desk.run('run_tests', {})
    for (let index = 0; index < CALLS_MAX + 5; index++) {
      desk.run('git_log', { index })
      pending.at(-1)?.resolve(answer)
      await settled()
    }
    const calls = desk.calls.get()
    expect(calls).toHaveLength(CALLS_MAX + 1)
    expect(calls.at(-1)?.id).toBe(running)
  })

  it('is empty for who comes next, and stops what ran', async () => {
    const { desk, pending } = createDesk()
    desk.run('git_log', {})
    desk.setForm('git_log', { mode: 'json', json: '{}', draft: { kind: 'group', fields: {} } })
    desk.clear()
    await settled()
    expect([desk.calls.get(), desk.forms.get()]).toEqual([[], {}])
    expect(pending[0]?.options.signal?.aborted).toBe(true)
  })
})
