import { describe, expect, it } from 'vitest'
import { createPrompt, createRepair, type PromptRequest } from './prompt.ts'

const base: PromptRequest = {
  systemPrompt: 'Process data from producer',
  path: 'consumer.py',
  text: null,
  context: [],
  rules: [],
  message: 'Create API endpoints for the User model',
  isQuestion: false,
}
const user = (request: Partial<PromptRequest>): string | undefined => createPrompt({ ...base, ...request })[1]?.text

describe('createPrompt', () => {
  // Models are trained on and measured with exactly this text.
  it('writes the prompt that the demo model knows', () => {
    const turns = createPrompt({
      ...base,
      text: 'import x\n\nx()\n',
      context: [{ path: 'producer.py', text: 'class User:\n    id: int\n' }],
      rules: ['Valid Python 3', 'At most 300 lines'],
    })
    expect(turns).toEqual([
      {
        role: 'system',
        text: 'Process data from producer\n\nYou are the only writer of `consumer.py`. Answer with the complete new content of that file in one fenced code block. Change only what the task asks.',
      },
      {
        role: 'user',
        text: `### \`producer.py\` (read only)
\`\`\`python
class User:
    id: int
\`\`\`

### \`consumer.py\` (yours, 3 lines)
\`\`\`python
import x

x()
\`\`\`

### Rules
- Valid Python 3
- At most 300 lines

### Task
Create API endpoints for the User model`,
      },
    ])
  })

  it.each([null, ''])('says that the file is empty: %j', (text) => {
    expect(user({ text })).toBe('### `consumer.py` (yours, empty)\n\n### Task\nCreate API endpoints for the User model')
  })

  it('makes the fence longer than any in the text', () => {
    const text = '# A\n\n````md\n```sh\nx\n```\n````\n'
    expect(user({ path: 'README.md', text })).toContain(`\`\`\`\`\`markdown\n${text}\`\`\`\`\`\n`)
  })

  it('closes the fence on a line of its own, and counts a last line without a newline', () => {
    expect(user({ text: 'a\nb' })).toContain('(yours, 2 lines)\n```python\na\nb\n```')
  })

  it('shows the text without byte-order mark and carriage returns', () => {
    expect(user({ text: '\uFEFFa\r\nb\r\n' })).toContain('```python\na\nb\n```')
  })

  it('asks for words when the task is a question', () => {
    const [system, question] = createPrompt({ ...base, isQuestion: true, rules: ['At most 300 lines'] })
    expect(system?.text).toContain('Answer the question in plain text')
    expect(question?.text).not.toContain('### Rules')
  })

  it('tells of earlier tasks after all that stays the same, before the task', () => {
    const text = 'class User:\n    id: int\n'
    const rules = ['Valid Python 3']
    const bare = user({ text, rules })
    expect(user({ text, rules, earlier: null })).toBe(bare)
    expect(user({ text, rules, earlier: 'Earlier: 1 task: x' })).toBe(
      bare?.replace('### Task\n', '### Earlier\nEarlier: 1 task: x\n\n### Task\n'),
    )
  })

  it('needs no system prompt', () => {
    expect(createPrompt({ ...base, systemPrompt: '' })[0]?.text).toMatch(/^You are the only writer/)
  })
})

describe('createRepair', () => {
  it('shows the reply and each failure', () => {
    const first = createPrompt(base)
    const turns = createRepair(first, 'the reply', [
      { rule: 'syntax', message: 'Missing `:` at the end of this line', line: 3 },
      { rule: 'line_limit', message: '310 lines, limit 300', line: null },
    ])
    expect(turns).toEqual([
      ...first,
      { role: 'assistant', text: 'the reply' },
      {
        role: 'user',
        text: `### Checks failed
- syntax: line 3: Missing \`:\` at the end of this line
- line_limit: 310 lines, limit 300

### Task
Fix these and answer with the complete file again.`,
      },
    ])
  })
})
