import { expect, it } from 'vitest'
import { type LiveStack, QUICK_MODEL, startLiveStack } from '#test/support/live-stack.ts'
import { createTempRepository } from '#test/support/temp-repository.ts'

it('an agent remembers its tasks after a restart of everything', { timeout: 60_000 }, async () => {
  const repository = await createTempRepository()
  const ask = (live: LiveStack) =>
    live.client.ok('chat_with_agent', { agent_id: 'user', message: 'What is in it?', mode: 'ask' })
  const promptTokens = async (live: LiveStack) => ((await ask(live)).usage as { prompt_tokens: number }).prompt_tokens
  const messages = async (live: LiveStack) =>
    (await live.client.ok('get_agent_info', { agent_id: 'user' })).messages as { role: string; text: string }[]
  try {
    const first = await startLiveStack({ model: QUICK_MODEL, repository })
    await first.own('user.py')
    const alone = await promptTokens(first)
    const before = await messages(first)
    expect(before.map(({ role }) => role)).toEqual(['user', 'agent'])
    await first.stop()

    const second = await startLiveStack({ model: QUICK_MODEL, repository })
    try {
      expect(await messages(second)).toEqual(before)
      expect(await promptTokens(second)).toBeGreaterThan(alone)
      expect(await messages(second)).toHaveLength(4)
    } finally {
      await second.stop()
    }
  } finally {
    repository.remove()
  }
})
