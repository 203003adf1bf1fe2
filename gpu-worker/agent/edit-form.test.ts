import { describe, expect, it } from 'vitest'
import { chooseForm } from './choose-form.ts'
import { createPrompt, createRepair } from './prompt.ts'

const before = '\uFEFFimport os\r\n\r\nx = os.name\r\n'
const request = {
  systemPrompt: 'Keep settings',
  path: 'a.py',
  text: before,
  context: [{ path: 'b.py', text: 'y = 1\n' }],
  rules: ['Valid Python 3'],
  message: 'Rename x to name',
  isQuestion: false,
}

describe('the form of edits', () => {
  // Models are measured with exactly this text.
  it('shows numbered lines and asks for edits of them', () => {
    expect(createPrompt(request, chooseForm('a.py', before, 2).prompt)).toEqual([
      {
        role: 'system',
        text: 'Keep settings\n\nYou are the only writer of `a.py`. The file is long, so answer with edits of it, from top to bottom. An edit is a line `Replace A-B`, `Insert after A` or `Delete A-B` with numbers of lines as shown, and behind `Replace` and `Insert` one fenced code block with the new lines, without numbers. Change only what the task asks.',
      },
      {
        role: 'user',
        text: `### \`b.py\` (read only)
\`\`\`python
y = 1
\`\`\`

### \`a.py\` (yours, 3 lines, numbered)
\`\`\`python
1│import os
2│
3│x = os.name
\`\`\`

### Rules
- Valid Python 3

### Task
Rename x to name`,
      },
    ])
  })

  it('is for files with more lines than are told, and for no others', () => {
    expect(chooseForm('a.py', before, 2).grammar).toEqual({
      kind: 'edits',
      lines: 3,
      info: 'python',
      fenceLength: 3,
    })
    expect(chooseForm('a.py', before, 3).grammar.kind).toBe('gbnf')
    expect(chooseForm('a.py', null, 1).grammar.kind).toBe('gbnf')
    expect(createPrompt(request, chooseForm('a.py', before, 3).prompt)).toEqual(createPrompt(request))
  })

  it('takes longer fences than the file has, and than Markdown usually has', () => {
    expect(chooseForm('a.md', '# A\n', 0).grammar).toMatchObject({ fenceLength: 4 })
    expect(chooseForm('a.py', '"""\n````\n"""\n', 0).grammar).toMatchObject({ fenceLength: 5 })
  })

  it.each([
    ['Delete 1-3', 'empty: The edits leave no line of the file: change only what the task asks'],
    [
      '```python\nimport os\n\nname = os.name\n```',
      'no_edit: Write `Replace A-B` or `Insert after A` on the line above each code block, with numbers of lines',
    ],
  ])('says in its own words what is wrong with %j', (text, message) => {
    const found = chooseForm('a.py', before, 2).read({ text, stopReason: 'end' }, request.message)
    expect(found.text).toBeNull()
    expect(found.failures.map((failure) => `${failure.rule}: ${failure.message}`)).toEqual([message])
  })

  it('tells failures by the lines that the model knows', () => {
    const form = chooseForm('a.py', before, 2)
    const text = 'Insert after 1\n```python\nimport re\nimport io\n```\nReplace 3-3\n```python\nname = os.name\n```'
    const found = form.read({ text, stopReason: 'end' }, request.message)
    expect(found.text).toBe('\uFEFFimport os\r\nimport re\r\nimport io\r\n\r\nname = os.name\r\n')
    const failures = [1, 3, 4, 5, null].map((line) => ({ rule: 'r', message: 'Mend it', line }))
    const told = found.tell?.(failures) ?? []
    const [, , assistant, user] = createRepair(createPrompt(request, form.prompt), text, told, form.prompt)
    expect(assistant).toEqual({ role: 'assistant', text })
    expect(user?.text).toBe(`### Checks failed
- r: line 1 as shown: Mend it
- r: line 2 of edit 1: Mend it
- r: line 2 as shown: Mend it
- r: line 1 of edit 2: Mend it
- r: Mend it

### Task
Fix these and answer with all edits again, with line numbers of the file as shown above.`)
  })
})
