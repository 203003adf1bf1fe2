import { describe, expect, it } from 'vitest'
import { createBearerTokenAuthenticator } from './bearer-token.ts'

const { authenticate } = createBearerTokenAuthenticator('mw_right')
const withHeader = (authorization?: string) =>
  new Request('http://127.0.0.1/mcp', { headers: authorization === undefined ? {} : { authorization } })

describe('bearer token', () => {
  it('yields a caller that does not carry the token', async () => {
    const owner = {
      subject: 'owner',
      name: null,
      workspace: null,
      scopes: ['read', 'write', 'admin'],
      credential: null,
    }
    expect(await authenticate(withHeader('Bearer mw_right'))).toEqual(owner)
    expect(await authenticate(withHeader('bearer mw_right'))).toEqual(owner)
  })

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer mw_wrong',
    'Bearer mw_right2',
    'Bearer mw_righ',
    'Bearer mw_right mw_right',
    'Basic %%%',
    'Basic bXdfcmlnaHQ=',
    `Bearer ${'x'.repeat(5000)}`,
  ])('refuses %j (A36: malformed Basic)', async (header) => {
    await expect(authenticate(withHeader(header))).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('does not take a token from the address (A34)', async () => {
    const request = new Request('http://127.0.0.1/mcp?access_token=mw_right&token=mw_right')
    await expect(authenticate(request)).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})
