import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMIT_MESSAGE_CHARACTERS_MAX } from '#shared/protocol/limits.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import type { Repository, Trailer } from '../ports/repository.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { openRepository } from './simple-git.ts'
import { composeMessage, subjectOf } from './simple-git-message.ts'

const trailers: readonly Trailer[] = [
  { token: 'Millwright-Agent', value: 'a1' },
  { token: 'Millwright-Job', value: 'job_1' },
  { token: 'Millwright-Job', value: 'job_2' },
]
const SCISSORS = '# ------------------------ >8 ------------------------'

const messages: readonly [what: string, message: string][] = [
  ['one line', 'Add users'],
  ['a line feed at its end', 'Add users\n'],
  ['blank lines at both ends', '\n\n  Add users \n\n\n'],
  ['a comment sign in front', '# 12: add users\n\n#not a comment\n# nor this\n'],
  ['a dash in front', '--amend -m "x" --no-verify\n-- \n-F /etc/passwd'],
  ['a scissors line', `Add users\n\n${SCISSORS}\nDo not modify or remove the line above.\nstays\n`],
  ['a diff', 'Add users\n\n---\ndiff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n'],
  ['trailers of the caller', 'Add users\n\nWhy.\n\nCo-authored-by: X <x@localhost>\nFixes: #12\n'],
  ['lines that look like our trailers', 'Add users\n\nMillwright-Agent: somebody\nMillwright-Job: another\n'],
  ['a subject that looks like a trailer', 'fix: the users\n'],
  ['line ends of Windows', 'Add users\r\n\r\nWhy.\r\n\r\nFixes: #12\r\n'],
  ['emoji, composed and not, and right-to-left text', '🙂👩‍👩‍👧 é e\u0301 漢字 \u200eשלום\u200f عربى\n\t🏳️‍🌈'],
  ['what a shell would run', '$(touch pwned) `touch pwned` ; touch pwned\n\n%s %x00 \\n $HOME'],
  ['20,000 characters', 'm'.repeat(COMMIT_MESSAGE_CHARACTERS_MAX)],
  ['20,000 characters of many lines', `${'long line\n'.repeat(COMMIT_MESSAGE_CHARACTERS_MAX / 10)}`],
]

let repository: TempRepository
let opened: Repository
beforeAll(async () => {
  repository = await createTempRepository()
  await repository.git('config', 'commit.cleanup', 'scissors')
  await repository.git('config', 'core.commentChar', ';')
  await repository.git('config', 'i18n.commitEncoding', 'latin1')
  opened = await openRepository({ root: repository.root })
})
afterAll(() => repository.remove())

let version = 0
/** Commits something under this message; returns the message of the commit object, as its bytes. */
async function messageStored(message: string, lines: readonly Trailer[]): Promise<string> {
  version += 1
  repository.write('README.md', `# Version ${version}\n`)
  await opened.commit({ message, paths: [parseRepositoryPath('README.md')], trailers: lines })
  const object = execFileSync('git', ['-C', repository.root, 'cat-file', 'commit', 'HEAD']).toString('utf8')
  expect(object).not.toContain('\nencoding ')
  return object.slice(object.indexOf('\n\n') + 2)
}

describe('the message of a commit', () => {
  it.each(messages)('keeps %s to the byte', async (_what, message) => {
    expect(await messageStored(message, [])).toBe(message.endsWith('\n') ? message : `${message}\n`)
    const stored = await messageStored(message, trailers)
    expect(stored.startsWith(message)).toBe(true)
    expect(stored.slice(message.length)).toMatch(
      /^\n{0,2}Millwright-Agent: a1\nMillwright-Job: job_1\nMillwright-Job: job_2\n$/,
    )
    expect(repository.exists('pwned')).toBe(false)
  })

  // Git looks for trailers in front of a scissors line only, whoever wrote it.
  it.each(messages.filter(([what]) => what !== 'a scissors line'))(
    'has trailers that git finds behind %s',
    async (_what, message) => {
      await messageStored(message, trailers)
      const found = await repository.git('log', '-1', '--format=%(trailers:only)')
      expect(found.trim().split('\n').slice(-3)).toEqual([
        'Millwright-Agent: a1',
        'Millwright-Job: job_1',
        'Millwright-Job: job_2',
      ])
    },
  )

  it("puts its trailers behind the caller's own, so that git finds both, and never behind forged ones", async () => {
    await messageStored('Add\n\nFixes: #12\nCo-authored-by: X <x@localhost>', trailers.slice(0, 1))
    expect((await repository.git('log', '-1', '--format=%(trailers:only)')).trim()).toBe(
      'Fixes: #12\nCo-authored-by: X <x@localhost>\nMillwright-Agent: a1',
    )
    await messageStored('Add\n\nFixes: #12\nmillwright-agent: other', trailers.slice(0, 1))
    expect((await repository.git('log', '-1', '--format=%(trailers:only)')).trim()).toBe('Millwright-Agent: a1')
  })

  it('has its first line with text in the log of the branch', async () => {
    await messageStored('\n\n  Add users \r\n\r\nWhy.', [])
    expect((await repository.git('reflog', '-1', '--format=%gs')).trim()).toBe('commit: Add users')
    expect(subjectOf('\n \n')).toBe('')
  })

  it.each([
    ['nothing', ''],
    ['white space', ' \r\n\t\n'],
    ['one character too many', 'm'.repeat(COMMIT_MESSAGE_CHARACTERS_MAX + 1)],
    ['NUL', 'a\0b'],
    ['an escape', 'a\u001b[2Jb'],
    ['a lone carriage return', 'good\rbad'],
    ['half a surrogate pair', 'a\ud800b'],
    ['an override of the direction', 'a\u202eb'],
    ['an isolate', 'a\u2066b'],
  ])('is refused where it holds %s', (_what, message) => {
    expect(() => composeMessage({ message, trailers })).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})
