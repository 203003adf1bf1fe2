import { RE2JS } from 're2js'

export interface SecretPattern {
  /** For the message, with its article. */
  readonly what: string
  /** Words of which a match has one, for leaving out most texts at a hundredth of the price; no groups, no repetition. */
  readonly sign: RegExp
  readonly pattern: RE2JS
  /** The group that holds the secret; 0 for all of the match. */
  readonly group: number
  /** True where the shape alone proves nothing: reported as a warning, and only when the value looks random. */
  readonly isGuess: boolean
}

const known = (what: string, sign: RegExp, expression: string): SecretPattern => ({
  what,
  sign,
  pattern: RE2JS.compile(expression),
  group: 0,
  isGuess: false,
})

/** Shapes that their issuers publish, so that a match is hardly ever anything else. Run on RE2, in linear time. */
export const secretPatterns: readonly SecretPattern[] = [
  // With the beginning of the key itself: code that reads keys names the header alone.
  known(
    'a private key',
    /PRIVATE KEY/,
    '-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\s|\\\\[nr]|["\'`+,]){0,20}(?:[A-Za-z0-9+/]{16,64}|Proc-Type|Version)',
  ),
  known('an AWS access key', /AKIA|ASIA/, '\\b(?:AKIA|ASIA)[A-Z2-7]{16}\\b'),
  known(
    'a GitHub token',
    /gh[pousr]_|github_pat_/,
    '\\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\\b',
  ),
  known('a GitLab token', /glpat-/, '\\bglpat-[A-Za-z0-9_-]{20,64}'),
  known('a Slack token', /xox[abeoprs]-/, '\\bxox[abeoprs]-[A-Za-z0-9-]{10,250}'),
  known(
    'a Slack web hook',
    /hooks\.slack\.com/,
    'https://hooks\\.slack\\.com/(?:services|workflows)/[A-Za-z0-9]{8,15}/[A-Za-z0-9]{8,15}/[A-Za-z0-9]{16,40}',
  ),
  known('a Stripe key', /[rs]k_live_/, '\\b[rs]k_live_[A-Za-z0-9]{16,247}\\b'),
  known('a Google API key', /AIza/, '\\bAIza[A-Za-z0-9_-]{35}'),
  known('a Google OAuth token', /ya29\./, '\\bya29\\.[A-Za-z0-9_-]{20,500}'),
  known('an npm token', /npm_/, '\\bnpm_[A-Za-z0-9]{36}\\b'),
  known('an OpenAI or Anthropic key', /sk-(?:ant|proj|svcacct)-/, '\\bsk-(?:ant-|proj-|svcacct-)[A-Za-z0-9_-]{20,250}'),
  known('a JSON Web Token', /eyJ/, '\\beyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}'),
  {
    what: 'a password or key',
    sign: /passw|passphrase|secret|token|(?:api|access|private|auth)_?key/i,
    pattern: RE2JS.compile(
      '(?i)(?:passw(?:or)?d|passphrase|secret|token|api_?key|access_?key|private_?key|auth_?key)["\']?[ \\t]{0,8}(?::[ \\t]{0,4}[a-z]{1,20}[ \\t]{0,4})?(?:=>|:=|[:=])[ \\t]{0,8}["\'`]([^"\'`\\s]{12,200})["\'`]',
    ),
    group: 1,
    isGuess: true,
  },
]
