import { afterAll, describe, expect, it } from 'vitest'
import { createRuleFindings } from '#test/support/rule-findings.ts'

const rule = createRuleFindings('secrets')
afterAll(() => rule.close())

// Put together here, so that no scanner of this repository finds them.
const random = 'q8Zk2LmX0vB7nR4tY6wC1sD9fG3hJ5pA7eU2iO8xN4bM'
const of = (length: number): string => random.slice(0, length)
const base32 = 'Q7ZKLMXVB2NRTYWC'
const secrets: [string, string][] = [
  ['an AWS access key', `AKIA${base32}`],
  ['an AWS access key', `ASIA${base32}`],
  ['a GitHub token', `ghp_${of(36)}`],
  ['a GitHub token', `github_pat_${of(30)}`],
  ['a GitLab token', `glpat-${of(20)}`],
  ['a Slack token', `xoxb-${'123456789012'}-${of(24)}`],
  ['a Slack web hook', `https://hooks.slack.com/services/T${of(9)}/B${of(9)}/${of(24)}`],
  ['a Stripe key', `sk_live_${of(24)}`],
  ['a Google API key', `AIza${of(35)}`],
  ['a Google OAuth token', `ya29.${of(40)}`],
  ['an npm token', `npm_${of(36)}`],
  ['an OpenAI or Anthropic key', `sk-ant-api03-${of(40)}`],
  ['a JSON Web Token', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${of(43)}`],
]
const header = (kind: string): string => `-----BEGIN ${kind}PRIVATE KEY-----`

describe('secrets', () => {
  it.each(secrets)('refuses %s, without repeating it', async (what, secret) => {
    const found = await rule.find({ path: 'a.py', text: `x = 1\nkey = "${secret}"\n` })
    expect(found).toEqual([
      {
        severity: 'error',
        line: 2,
        message: `This looks like ${what}: take it out and read it from the environment when the program runs`,
      },
    ])
    expect(JSON.stringify(found)).not.toContain(secret.slice(0, 12))
  })

  it.each([
    ['RSA', `${header('RSA ')}\n${of(40)}\n`],
    ['PKCS 8, in one string', `x = "${header('')}\\n${of(40)}"\n`],
    ['OpenSSH, in a list of strings', `x = [\n  "${header('OPENSSH ')}",\n  "${of(40)}",\n]\n`],
    ['encrypted', `${header('EC ')}\nProc-Type: 4,ENCRYPTED\n`],
  ])('refuses a private key: %s', async (_what, text) => {
    expect(await rule.find({ path: 'a.txt', text })).toMatchObject([
      { severity: 'error', message: expect.stringContaining('a private key') },
    ])
  })

  it.each(['a.py', 'a.ts', 'a.json', 'a.yaml', 'a.md', 'a.rb', 'a.unknown'])('searches %s', async (path) => {
    expect(await rule.find({ path, text: `"sk_live_${of(24)}"\n` })).toHaveLength(1)
  })

  it.each([
    ['Python', `password = "${of(20)}"`],
    ['a dictionary', `{"api_key": "${of(20)}"}`],
    ['TypeScript with a type', `const authToken: string = '${of(20)}'`],
    ['Go', `secret := "${of(20)}"`],
    ['Ruby', `:client_secret => "${of(20)}"`],
    ['YAML', `db_passwd: "${of(20)}"`],
  ])('only warns of what may be a password, in %s', async (_what, text) => {
    expect(await rule.find({ path: 'a.txt', text })).toMatchObject([{ severity: 'warning', line: 1 }])
  })

  it.each([
    ['a key of the documentation', 'AKIAIOSFODNN7EXAMPLE'],
    ['a placeholder', 'password = "your-password-0123"'],
    ['a variable', 'password = "{{DB_PASSWORD_2024_x}}"'],
    ['a word', 'password = "correct-horse-battery"'],
    ['what is read from elsewhere', 'password = os.environ["DATABASE_PASSWORD"]'],
    ['code that looks for keys', `if text.startswith("${header('RSA ')}"):`],
    ['a test key of Stripe', `sk_test_${of(24)}`],
    ['a hash', 'sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"'],
  ])('takes %s for no secret', async (_what, text) => {
    expect(await rule.find({ path: 'a.txt', text })).toEqual([])
  })

  it('takes what was there before for a warning, wherever it stands now, and a second copy for an error', async () => {
    const secret = `k = "sk_live_${of(24)}"\n`
    const one = await rule.find({ path: 'a.py', text: `x = 1\n${secret}`, before: secret })
    expect(one.map(({ severity, line }) => `${severity} ${line}`)).toEqual(['warning 2'])
    const two = await rule.find({ path: 'a.py', text: `${secret}${secret}`, before: secret })
    expect(two.map(({ severity }) => severity)).toEqual(['error', 'warning'])
  })

  it('takes another private key in the place of the old one for an error', async () => {
    const key = (body: string): string => `${header('')}\n${body}\n`
    const found = await rule.find({ path: 'a.txt', text: key(of(40)), before: key('B'.repeat(40)) })
    expect(found.map(({ severity }) => severity)).toEqual(['error'])
  })

  it('leaves alone what the repository allows', async () => {
    const request = { path: 'test/fixtures/a.txt', text: `sk_live_${of(24)}\n` }
    expect(await rule.find(request, { secrets: { allow: [`^sk_live_${of(4)}`] } })).toEqual([])
    const files = { secrets: { allow_files: ['test/fixtures/**'] } }
    expect((await rule.check(request, files)).skipped).toContainEqual({
      rule: 'secrets',
      reason: 'millwright.json excludes the file',
    })
    expect((await rule.check(request, { severities: { secrets: 'off' } })).skipped).toContainEqual({
      rule: 'secrets',
      reason: 'switched off in millwright.json',
    })
  })

  it.each([
    ['beginnings of tokens', 'eyJ-'.repeat(250_000)],
    ['tokens', `ghp_${of(36)} `.repeat(20_000)],
    ['passwords', `password="${of(20)}" `.repeat(20_000)],
    ['headers', header('').repeat(30_000)],
    ['quotes', '"\n'.repeat(400_000)],
  ])('answers in bounded time for a text of %s', async (_what, text) => {
    expect((await rule.find({ path: 'a.txt', text })).length).toBeLessThanOrEqual(10)
  })
})
