import { describe, expect, it } from 'vitest'
import { parseReply, type ReplyFault } from './reply.ts'

const found: [string, string, string, string, string?][] = [
  ['one block', 'a.py', '```python\nx = 1\n```', 'x = 1\n'],
  ['no language', 'a.py', '```\nx = 1\n```\n', 'x = 1\n'],
  ['words around it', 'a.py', 'Here it is:\n\n```python\nx = 1\n```\nDone.', 'x = 1\n', 'Here it is:\n\nDone.'],
  ['a file name behind the fence', 'src/a.py', '```python src/a.py\nx = 1\n```', 'x = 1\n'],
  ['a file name as the language', 'a.py', '```a.py\nx = 1\n```', 'x = 1\n'],
  ['attributes behind the fence', 'a.ts', '```ts title="a.ts" {1,2}\nx = 1\n```', 'x = 1\n'],
  ['white space behind the fences', 'a.py', '```python  \nx = 1\n```   ', 'x = 1\n'],
  ['CRLF line ends', 'a.py', '```python\r\nx = 1\r\n```\r\n', 'x = 1\n'],
  ['tildes', 'a.py', '~~~python\nx = 1\n~~~', 'x = 1\n'],
  ['an indented fence', 'a.py', '  ```python\nx = 1\n  ```', 'x = 1\n'],
  ['an empty block', 'a.py', '```python\n```', ''],
  ['blank lines inside', 'a.py', '```\n\n\nx = 1\n\n```', '\n\nx = 1\n\n'],
  ['trailing spaces inside', 'a.md', '```\na  \nb\n```', 'a  \nb\n'],
  ['a longer outer fence', 'a.md', '````markdown\n# A\n```sh\nls\n```\n````', '# A\n```sh\nls\n```\n'],
  [
    'a named inner fence without a longer outer one',
    'a.md',
    '```markdown\n# A\n```sh\nls\n```\nend\n```',
    '# A\n```sh\nls\n```\nend\n',
  ],
  ['bare inner fences in Markdown', 'a.md', '```markdown\n# A\n```\nls\n```\nend\n```', '# A\n```\nls\n```\nend\n'],
  [
    'a fence in a docstring',
    'a.py',
    '```python\n"""Doc.\n\n    ```\n    x\n    ```\n"""\n```',
    '"""Doc.\n\n    ```\n    x\n    ```\n"""\n',
  ],
  ['backticks in code', 'a.js', '```js\nconst a = `x`\n```', 'const a = `x`\n'],
  ['inline code before the block', 'a.py', 'Use `x`:\n```python\nx = 1\n```', 'x = 1\n', 'Use `x`:'],
  ['the same block twice', 'a.py', '```python\nx = 1\n```\nAgain:\n```python\nx = 1\n```', 'x = 1\n', 'Again:'],
  [
    'a command to run beside the file',
    'a.py',
    '```python\nx = 1\n```\nRun it:\n```bash\npython a.py\n```',
    'x = 1\n',
    'Run it:',
  ],
  ['the block that is named after the file', 'a.py', '```python b.py.txt\ny = 2\n```\n```text\nz\n```', 'y = 2\n'],
  [
    'line numbers with a bar',
    'a.py',
    '```python\n1 | x = 1\n2 | if x:\n3 |     y = 2\n```',
    'x = 1\nif x:\n    y = 2\n',
  ],
  ['line numbers with a colon', 'a.py', '```python\n 1: x = 1\n 2: y = 2\n```', 'x = 1\ny = 2\n'],
  ['line numbers with a tab', 'a.py', '```python\n1\tx = 1\n2\t\ty = 2\n```', 'x = 1\n\ty = 2\n'],
  ['numbers that are the text', 'a.yaml', '```yaml\n1: a\n2: b\n3: c\n```', '1: a\n2: b\n3: c\n'],
]

const refused: [string, string, string, ReplyFault][] = [
  ['nothing', 'a.py', '', 'no_fence'],
  ['code without a fence', 'a.py', 'x = 1\n', 'no_fence'],
  ['inline backticks', 'a.py', 'It is ```x = 1``` here', 'no_fence'],
  ['a cut answer', 'a.py', '```python\nx = 1\ny = ', 'unclosed_fence'],
  ['a fence that is closed by a shorter one', 'a.md', '````\nx\n```', 'unclosed_fence'],
  ['a fence that is closed by another kind', 'a.py', '```\nx\n~~~', 'unclosed_fence'],
  ['a second block that is cut', 'a.py', '```python\nx = 1\n```\n```python\ny', 'unclosed_fence'],
  ['two files', 'a.py', '```python\nx = 1\n```\n```python\ny = 2\n```', 'several_files'],
  ['two blocks without a language', 'a.py', '```\nx = 1\n```\n```\ny = 2\n```', 'several_files'],
  ['two blocks in another language', 'a.py', '```js\nx\n```\n```bash\ny\n```', 'several_files'],
  ['two blocks with words between, for Markdown', 'a.md', 'One:\n```\na\n```\nTwo:\n```\nb\n```', 'several_files'],
]

describe('parseReply', () => {
  it.each(found)('finds the file in %s', (_what, path, reply, text, prose = '') => {
    expect(parseReply(reply, path)).toEqual({ kind: 'file', text, prose })
  })

  it.each(refused)('refuses %s', (_what, path, reply, fault) => {
    expect(parseReply(reply, path)).toMatchObject({ kind: 'fault', fault })
  })

  it('is quick on a long reply of fences', () => {
    expect(parseReply('```\n'.repeat(100_001), 'a.py')).toMatchObject({ kind: 'fault' })
  })
})
