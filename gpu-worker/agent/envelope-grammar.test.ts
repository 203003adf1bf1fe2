import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGrammarMatcher, type GrammarMatcher } from '#test/support/grammar-matcher.ts'
import { readReplyCorpus } from '#test/support/reply-corpus.ts'
import { fileKind } from '../gates/file-kind.ts'
import { envelopeGrammar } from './envelope-grammar.ts'
import { fenced, fenceLength, shownText } from './fence.ts'
import { parseReply } from './reply.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const corpus = readReplyCorpus(join(root, 'test/fixtures/replies'))

let matcher: GrammarMatcher
beforeAll(async () => {
  matcher = await createGrammarMatcher()
})
afterAll(() => matcher.close())

const takes = (path: string, before: string | null, reply: string): Promise<boolean> => {
  const grammar = envelopeGrammar(path, before)
  if (grammar.kind !== 'gbnf') throw new Error('The envelope is no GBNF')
  return matcher.matches(grammar.text, reply)
}
/** A file as the rules ask for it. */
const wellFormed = (path: string, text: string): string =>
  fenced(fileKind(path).name ?? '', shownText(text), fenceLength(text))

describe('envelopeGrammar', () => {
  const good = corpus.filter(({ file }) => file !== null)
  it.each(good)('can say the file of $title', async ({ path, before, file }) => {
    expect(await takes(path, before, wellFormed(path, file ?? ''))).toBe(true)
  })

  it('can say every text of this repository, new or changed', async () => {
    const paths = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0')
    const texts = paths.filter(
      (path) => /\.(?:ts|mjs|md|json|txt|js|sh|toml|html|css)$/.test(path) && !path.includes('lock'),
    )
    expect(texts.length).toBeGreaterThan(200)
    for (const path of texts) {
      const text = readFileSync(join(root, path), 'utf8')
      for (const before of [null, text]) expect(await takes(path, before, wellFormed(path, text)), path).toBe(true)
    }
  }, 60_000)

  it.each([
    ['a bare inner block in Markdown', 'a.md', '```markdown\n# A\n```\nls\n```\nend\n```'],
    ['named inner blocks in Markdown', 'a.md', '```markdown\n# A\n```sh\nls\n```\n- b\n  ```js\n  x\n  ```\nend\n```'],
    ['a list with a bare inner block', 'a.md', '```markdown\n- b\n\n  ```\n  x\n  ```\nend\n```'],
    ['words behind Markdown', 'a.md', '```markdown\n# A\n```\n\nThat is it.'],
    ['a long fence', 'a.md', '`````markdown\n````md\n```sh\nls\n```\n````\n`````'],
    ['a named block in a docstring', 'a.py', '```python\n"""Doc.\n\n```python\nx\n```\n"""\n```'],
    ['a bare block in a docstring, indented', 'a.py', '```python\n"""\n    ```\n    x\n    ```\n"""\n```'],
    ['backticks in code', 'a.js', '```javascript\nconst a = `x`\n`` ` ``\n``` `x` ```\n```'],
    ['a sentence in front', 'a.py', 'I added the field `age`.\n\n```python\nx = 1\n```'],
    ['thinking', 'a.py', '<think>\nHm: ```x``` or </th or <</think>\n\n```python\nx = 1\n```'],
    ['a file of no known kind', 'LICENSE', '```\nMIT\n```'],
    ['the extension as the language', 'a.ts', '```ts\nx\n```'],
    ['an empty block', 'a.py', '```python\n```'],
  ])('takes %s, as the parser does', async (_what, path, reply) => {
    expect(await takes(path, null, reply)).toBe(true)
    expect(parseReply(reply, path).kind).toBe('file')
  })

  it.each([
    ['no fence', 'a.py', 'x = 1\n'],
    ['a fence that stays open', 'a.py', '```python\nx = 1\n'],
    ['a fence that stays open in Markdown', 'a.md', '```markdown\n# A\n```sh\nls\n```\n'],
    ['an inner block that stays open', 'a.md', '```markdown\n# A\n```\nls\n```\nend\n'],
    ['another language', 'a.py', '```js\nx\n```'],
    ['a second block', 'a.py', '```python\nx = 1\n```\n```bash\nls\n```'],
    ['words behind the block', 'a.py', '```python\nx = 1\n```\nDone.'],
    ['code in front of the block', 'a.py', 'import x\n```python\nx = 1\n```'],
    ['a Dockerfile without a fence', 'Dockerfile', 'FROM node:24\nRUN ls\n```dockerfile\nRUN x\n```'],
    ['a fence that is closed by a shorter one', 'a.py', '````python\nx\n```'],
    ['a bare block in code', 'a.py', '```python\n"""\n```\nx\n```\n"""\n```'],
    ['thinking without an end', 'a.py', '<think>\n```python\nx = 1\n```'],
  ])('refuses %s', async (_what, path, reply) => {
    expect(await takes(path, null, reply)).toBe(false)
  })

  it('asks for a fence as long as the one in the prompt', async () => {
    const before = '# A\n```sh\nls\n```\n'
    expect(await takes('a.md', before, '```markdown\n# A\n```')).toBe(false)
    expect(await takes('a.md', before, '````markdown\n# A\n````')).toBe(true)
  })
})
