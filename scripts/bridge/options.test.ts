import { describe, expect, it } from 'vitest'
import { parseBridgeOptions } from './options.ts'

const parse = (argv: string[], environment: Record<string, string> = {}) => parseBridgeOptions(argv, environment)

describe('options of the bridge', () => {
  it('takes a credential from the environment, or from the command line, which wins', () => {
    expect(parse([], { MILLWRIGHT_TOKEN: ' mw_a\n' })).toMatchObject({
      url: new URL('http://127.0.0.1:8000/mcp'),
      credential: { kind: 'token', token: 'mw_a' },
    })
    expect(parse([], { MILLWRIGHT_TOKEN_FILE: '/t' }).credential).toEqual({ kind: 'token-file', file: '/t' })
    const told = ['--token-file', '/mine', '--url', 'https://mill.example/mcp?tools=core']
    const environment = { MILLWRIGHT_TOKEN: 'mw_a', MILLWRIGHT_KEY: '/k', MILLWRIGHT_URL: 'https://other.example/mcp' }
    expect(parse(told, environment)).toMatchObject({
      url: new URL('https://mill.example/mcp?tools=core'),
      credential: { kind: 'token-file', file: '/mine' },
    })
    expect(parse(['--scope', 'read,write', '--workspace', 'shop'], { MILLWRIGHT_KEY: '/k' }).credential).toEqual({
      kind: 'key',
      file: '/k',
      scopes: ['read', 'write'],
      workspace: 'shop',
    })
  })

  it.each([
    ['no credential', [], {}],
    ['two credentials', [], { MILLWRIGHT_TOKEN: 'secret-token', MILLWRIGHT_KEY: '/k' }],
    ['two options', ['--key', '/k', '--token-file', '/t'], {}],
    ['a token among the arguments', ['--token', 'secret-token'], {}],
    ['a token as a word', ['secret-token'], { MILLWRIGHT_TOKEN: 'mw_a' }],
    ['no token in the variable', [], { MILLWRIGHT_TOKEN: 'secret-token and more' }],
    ['a scope without a key', ['--scope', 'read'], { MILLWRIGHT_TOKEN: 'mw_a' }],
    ['an unknown scope', ['--key', '/k', '--scope', 'all'], {}],
    ['no workspace', ['--key', '/k', '--workspace', 'A b'], {}],
    ['an address in the clear', ['--url', 'http://mill.example/mcp'], { MILLWRIGHT_TOKEN: 'mw_a' }],
    ['a password in the address', ['--url', 'https://me:secret-token@mill.example/mcp'], { MILLWRIGHT_TOKEN: 'mw_a' }],
    ['no address', ['--url', 'mill.example'], { MILLWRIGHT_TOKEN: 'mw_a' }],
  ])('refuses %s', (_what, argv, environment) => {
    let message = ''
    try {
      parse(argv, environment)
    } catch (error) {
      message = String(error)
    }
    expect(message).not.toBe('')
    // Node names an argument that it does not know; the others are never repeated.
    if (argv.length !== 1) expect(message.replaceAll('--token', '')).not.toContain('secret-token')
  })
})
