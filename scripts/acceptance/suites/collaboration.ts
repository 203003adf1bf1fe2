import assert from 'node:assert/strict'
import { Skipped, type SuiteRecorder } from '../recorder.ts'
import type { RunModel } from '../run-model.ts'
import type { AcceptanceWorld } from '../world.ts'

/** The user's suite B. What needs a model that can write such files is skipped where the probe found it unable. */
export async function runCollaboration(
  { run }: SuiteRecorder,
  { measured }: AcceptanceWorld,
  model: RunModel,
): Promise<void> {
  const create = (agent_id: string, name: string, managed_file: string, system_prompt: string) =>
    measured.ok('create_agent', { agent_id, name, managed_file, system_prompt })
  const contentOf = async (agent_id: string): Promise<string> =>
    String((await measured.ok('get_agent_file', { agent_id })).content)

  await run({ name: 'Producer and consumer' }, async () => {
    await create('producer-agent', 'Data Producer', 'producer.py', 'Generate data structures')
    await create('consumer-agent', 'Data Consumer', 'consumer.py', 'Process data from producer')
    return 'two agents, one file each'
  })
  const producer = { agent_id: 'producer-agent', message: 'Create a User model with id, name, email' }
  const wrote = await run({ name: 'The producer writes a User model', steps: [producer.message] }, async () => {
    if (model.unable !== null) throw new Skipped(model.unable)
    const outcome = await measured.job('chat_with_agent', producer)
    const content = await contentOf(producer.agent_id)
    assert.ok(content.includes('class User'), `"class User" is not in producer.py:\n${content}`)
    return describeUsage(outcome)
  })
  const consumer = {
    agent_id: 'consumer-agent',
    message: 'Create API endpoints for the User model',
    context: { producer_file: 'producer.py' },
  }
  await run(
    { name: "The consumer works with the producer's file", steps: [producer.message, consumer.message] },
    async () => {
      if (model.unable !== null) throw new Skipped(model.unable)
      if (!wrote) throw new Skipped('the producer has written nothing that the consumer could use')
      const before = await contentOf(producer.agent_id)
      const outcome = await measured.job('chat_with_agent', consumer)
      const content = await contentOf(consumer.agent_id)
      assert.ok(content.includes('def create_user'), `"def create_user" is not in consumer.py:\n${content}`)
      assert.equal(await contentOf(producer.agent_id), before, 'A file that was only context has changed')
      return describeUsage(outcome)
    },
  )
}

function describeUsage({ usage, attempts }: Record<string, unknown>): string {
  const { prompt_tokens, completion_tokens, tokens_per_second } = usage as Record<string, number | null>
  const speed = tokens_per_second == null ? '' : `, ${Math.round(tokens_per_second)} tokens/s`
  return `${prompt_tokens} prompt and ${completion_tokens} answer tokens${speed}, ${attempts} attempt(s)`
}
