import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// millwright.json on the whole stack: it is read at each check, cannot be written by a caller, and is never passed over.

let world: TestStack
beforeAll(async () => {
  world = await startTestStack()
})
afterAll(() => world?.stop())
afterEach(() => rmSync(join(world.repository.root, 'millwright.json'), { force: true }))

const configure = (settings: object): void => world.repository.write('millwright.json', JSON.stringify(settings))
const notices = async (): Promise<unknown> => {
  const { workers } = await world.client.ok('get_server_info', {})
  return (workers as { notices: string[] }[])[0]?.notices.filter((notice) => notice.includes('millwright.json'))
}

describe('millwright.json', () => {
  it('counts from the moment at which it is there', async () => {
    const file = { path: 'a.py', content: 'print(1)\n' }
    expect((await world.client.call('write_file', { ...file, path: 'b.py' })).success).toBe(true)
    configure({ checks: { forbidden_pattern: [{ pattern: '\\bprint\\(', message: 'Use the logger' }] } })
    const refused = await world.client.call('write_file', file)
    expect(refused.error).toMatchObject({
      code: 'checks_failed',
      details: { checks: { violations: [{ rule: 'forbidden_pattern', line: 1, message: 'Use the logger' }] } },
    })
    expect(await notices()).toEqual([])
  })

  it('refuses every write, and says so, while a key is wrong', async () => {
    configure({ checks: { line_limits: { lines: 5 } } })
    const file = { path: 'c.py', content: 'x = 1\n' }
    const refused = await world.client.call('write_file', file)
    expect(refused.error?.message).toContain('checks.line_limits: unknown field')
    expect(await world.client.ok('validate_file', { content: file.content, file_path: file.path })).toMatchObject({
      passed: false,
      ran: expect.arrayContaining(['configuration']),
      violations: [{ rule: 'configuration' }],
    })
    expect(await notices()).toEqual([expect.stringContaining('checks.line_limits: unknown field')])
    configure({})
    expect((await world.client.call('write_file', file)).success).toBe(true)
    expect(await notices()).toEqual([])
  })

  it('can be tried with validate_file, and not be written', async () => {
    const content = '{"checks": {"secrets": "off"}}'
    expect(await world.client.ok('validate_file', { content, file_path: 'millwright.json' })).toMatchObject({
      passed: false,
      violations: [{ rule: 'configuration', message: expect.stringContaining('checks.secrets') }],
    })
    const answer = await world.client.call('write_file', { path: 'millwright.json', content: '{}' })
    expect(answer.error?.code).toBe('protected_path')
  })

  it('lets no secret in by default, and repeats it in no message', async () => {
    const secret = `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`
    const answer = await world.client.call('write_file', { path: 'd.py', content: `key = "${secret}"\n` })
    expect(answer.error).toMatchObject({
      code: 'checks_failed',
      message: expect.stringContaining('secrets: This looks like a Stripe key'),
    })
    expect(answer.error?.message).not.toContain(secret)
  })
})
