import { beforeEach, describe, expect, it } from 'vitest'
import type { Accounts, NewSession, User } from '#functions/ports/accounts.ts'
import { toWorkspaceId } from '#shared/ids.ts'

export interface AccountsUnderTest {
  readonly accounts: Accounts
  /** Moves the store's clock. */
  readonly clock: { nowMs: number }
}

const here = toWorkspaceId('here')
const there = toWorkspaceId('there')
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** What every store of accounts must do, whatever it is stored in. `create` gives an empty one. */
export function describeAccounts(name: string, create: () => Promise<AccountsUnderTest>): void {
  describe(`accounts: ${name}`, () => {
    let accounts: Accounts
    let clock: { nowMs: number }
    let anna: User
    let count = 0

    beforeEach(async () => {
      ;({ accounts, clock } = await create())
      anna = await accounts.ensureUser('Anna')
      await accounts.addKey({ fingerprint: 'SHA256:anna', spki: 'AAAA', user_id: anna.user_id, label: 'laptop' })
      await accounts.setRole(anna.user_id, here, 'writer')
    })

    const session = (changes: Partial<NewSession> = {}): NewSession => {
      count++
      return {
        session_id: `s_${count}`,
        kind: 'page',
        user_id: anna.user_id,
        fingerprint: 'SHA256:anna',
        workspace: here,
        scopes: ['read', 'write'],
        label: 'Page',
        access_hash: `access-${count}`,
        access_expires_at: clock.nowMs + 15 * MINUTE,
        refresh_hash: `refresh-${count}`,
        refresh_expires_at: clock.nowMs + DAY,
        ends_at: clock.nowMs + 14 * DAY,
        ...changes,
      }
    }
    const rotate = (presented: string, next: string) =>
      accounts.rotateSession({
        presented,
        access_hash: `access-${next}`,
        access_expires_at: clock.nowMs + 15 * MINUTE,
        refresh_hash: `refresh-${next}`,
        refresh_expires_at: clock.nowMs + DAY,
      })

    describe('people', () => {
      it('knows a person by their name, letter case and composition apart', async () => {
        expect(await accounts.ensureUser('ANNA')).toEqual(anna)
        const zoe = await accounts.ensureUser('Zo\u00eb')
        expect(await accounts.findUser('Zoe\u0308')).toEqual(zoe)
        expect(await accounts.findUser('Bert')).toBeNull()
        expect(anna.user_id).not.toContain(':')
      })

      it('registers a key once, whoever comes with it, and never again after it was revoked', async () => {
        const again = { fingerprint: 'SHA256:anna', spki: 'BBBB', user_id: 'u_other', label: '' }
        await expect(accounts.addKey(again)).rejects.toMatchObject({ code: 'already_exists' })
        expect(await accounts.revokeKey('SHA256:anna')).toBe(true)
        expect(await accounts.revokeKey('SHA256:anna')).toBe(false)
        expect(await accounts.findKey('SHA256:anna')).toBeNull()
        await expect(accounts.addKey(again)).rejects.toMatchObject({ code: 'already_exists' })
        expect(await accounts.listKeys()).toMatchObject([{ spki: 'AAAA', revoked_at: clock.nowMs }])
      })

      it('keeps one role for each workspace', async () => {
        await accounts.setRole(anna.user_id, there, 'reader')
        await accounts.setRole(anna.user_id, here, 'admin')
        expect(await accounts.listMemberships(anna.user_id)).toEqual([
          { workspace: here, role: 'admin' },
          { workspace: there, role: 'reader' },
        ])
        expect(await accounts.listMembers(there)).toEqual([{ user: anna, role: 'reader' }])
        await accounts.setRole(anna.user_id, here, null)
        expect(await accounts.findRole(anna.user_id, 'SHA256:anna', here)).toBeNull()
        expect(await accounts.findRole(anna.user_id, 'SHA256:anna', there)).toEqual({ user: anna, role: 'reader' })
        expect(await accounts.findRole(anna.user_id, 'SHA256:other', there)).toBeNull()
      })
    })

    describe('single use', () => {
      it('spends once, of many at once as well, until it would have expired anyway', async () => {
        const all = await Promise.all(Array.from({ length: 5 }, () => accounts.spendOnce('n', clock.nowMs + MINUTE)))
        expect(all.filter((first) => first)).toHaveLength(1)
        clock.nowMs += MINUTE
        expect(await accounts.spendOnce('n', clock.nowMs + MINUTE)).toBe(true)
      })

      it('admits of a machine each thing once, and nothing any more when it was revoked', async () => {
        const once = (id: string) => ({ id, expiresAt: clock.nowMs + MINUTE })
        const all = await Promise.all(Array.from({ length: 5 }, () => accounts.admitMachine('key', once('q'))))
        expect(all.toSorted()).toEqual(['admitted', ...Array.from({ length: 4 }, () => 'repeated')])
        expect(await accounts.admitMachine('key', once('r'))).toBe('admitted')
        expect(await accounts.admitMachine('key', null)).toBe('admitted')
        expect(await accounts.revokeMachine('key', 'box')).toBe(true)
        expect(await accounts.revokeMachine('key', null)).toBe(false)
        expect(await accounts.admitMachine('key', once('s'))).toBe('revoked')
        expect(await accounts.admitMachine('key', null)).toBe('revoked')
        expect(await accounts.admitMachine('other', once('s'))).toBe('admitted')
      })

      it('makes a secret once', async () => {
        const all = await Promise.all([accounts.secret('a'), accounts.secret('a'), accounts.secret('b')])
        expect(all[0]).toBe(all[1])
        expect(all[0]).not.toBe(all[2])
        expect(all[0]).toMatch(/^[\w-]{43}$/)
      })
    })

    describe('sessions', () => {
      it('are found by their access token while both live, with the role of now', async () => {
        await accounts.openSession(session({ access_hash: 'a', session_id: 's_a' }))
        expect(await accounts.findAccess('a')).toEqual({
          kind: 'session',
          credential_id: 's_a',
          user: anna,
          workspace: here,
          scopes: ['read', 'write'],
          role: 'writer',
          expires_at: clock.nowMs + 15 * MINUTE,
        })
        await accounts.setRole(anna.user_id, here, 'reader')
        expect(await accounts.findAccess('a')).toMatchObject({ role: 'reader' })
        clock.nowMs += 15 * MINUTE
        expect(await accounts.findAccess('a')).toBeNull()
      })

      it.each([
        ['it was ended', () => accounts.endSession(anna.user_id, 's_a')],
        ['its key was revoked', () => accounts.revokeKey('SHA256:anna')],
        ['its owner has left', () => accounts.setRole(anna.user_id, here, null)],
      ])('are not found once %s', async (_what, end) => {
        await accounts.openSession(session({ access_hash: 'a', session_id: 's_a' }))
        await end()
        expect(await accounts.findAccess('a')).toBeNull()
      })

      it('are not found by a refresh token, nor refreshed by an access token', async () => {
        await accounts.openSession(session({ access_hash: 'a', refresh_hash: 'r' }))
        expect(await accounts.findAccess('r')).toBeNull()
        expect(await rotate('a', 'x')).toEqual({ outcome: 'over' })
      })

      it('are refreshed once by each token; the second time ends them', async () => {
        await accounts.openSession(session({ access_hash: 'a', refresh_hash: 'r', session_id: 's_a' }))
        expect(await rotate('r', 'new')).toMatchObject({ outcome: 'rotated', session: { session_id: 's_a' } })
        expect(await accounts.findAccess('a')).toBeNull()
        expect(await accounts.findAccess('access-new')).not.toBeNull()
        expect(await rotate('r', 'again')).toMatchObject({ outcome: 'reused', session: { session_id: 's_a' } })
        expect(await accounts.findAccess('access-new')).toBeNull()
        expect(await rotate('refresh-new', 'more')).toEqual({ outcome: 'over' })
        expect(await rotate('r', 'again')).toEqual({ outcome: 'over' })
      })

      it('never outlive their end', async () => {
        await accounts.openSession(session({ refresh_hash: 'r', ends_at: clock.nowMs + 10 * MINUTE }))
        expect(await rotate('r', 'new')).toMatchObject({ outcome: 'rotated' })
        expect(await accounts.findAccess('access-new')).toMatchObject({ expires_at: clock.nowMs + 10 * MINUTE })
        clock.nowMs += 10 * MINUTE
        expect(await rotate('refresh-new', 'late')).toEqual({ outcome: 'over' })
        expect(await accounts.listSessions(anna.user_id)).toEqual([])
      })

      it('are ended by their owner alone', async () => {
        await accounts.openSession(session({ session_id: 's_a' }))
        expect(await accounts.endSession('u_other', 's_a')).toBe(false)
        expect(await accounts.endSession(anna.user_id, 's_a')).toBe(true)
        expect(await accounts.endSession(anna.user_id, 's_a')).toBe(false)
      })
    })

    describe('named tokens', () => {
      it('are found until they expire or are revoked; when they were used is kept roughly', async () => {
        const token = { user_id: anna.user_id, workspace: here, scopes: ['read'] as const, name: 'ci' }
        const expires_at = clock.nowMs + DAY
        await accounts.addNamedToken({ ...token, token_id: 't_1', hash: 'h1', expires_at })
        await expect(
          accounts.addNamedToken({ ...token, token_id: 't_2', hash: 'h2', expires_at }),
        ).rejects.toMatchObject({ code: 'already_exists' })
        expect(await accounts.findAccess('h1')).toMatchObject({ kind: 'token', credential_id: 't_1', scopes: ['read'] })
        const used = clock.nowMs
        clock.nowMs += MINUTE
        await accounts.findAccess('h1')
        expect(await accounts.listNamedTokens()).toMatchObject([{ token_id: 't_1', last_used_at: used }])
        expect(await accounts.revokeNamedToken('t_1')).toBe(true)
        expect(await accounts.revokeNamedToken('t_1')).toBe(false)
        expect(await accounts.findAccess('h1')).toBeNull()
        // Its name is free again.
        await accounts.addNamedToken({ ...token, token_id: 't_3', hash: 'h3', expires_at })
        clock.nowMs = expires_at
        expect(await accounts.findAccess('h3')).toBeNull()
      })
    })

    describe('values', () => {
      it('are kept until they expire, and listed in order, page by page', async () => {
        for (const key of ['client:b', 'client:a', 'client:c', 'clients:x', 'grant:\u{1f600}:1']) {
          await accounts.putValue(key, { value: `of ${key}`, metadata: '{"n":1}' }, null)
        }
        await accounts.putValue('client:d', { value: 'short', metadata: null }, clock.nowMs + MINUTE)
        const keys = async (after: string | null, limit: number) =>
          (await accounts.listValues('client:', after, limit)).map(({ key }) => key)
        expect(await keys(null, 2)).toEqual(['client:a', 'client:b'])
        expect(await keys('client:b', 10)).toEqual(['client:c', 'client:d'])
        expect((await accounts.listValues('grant:\u{1f600}', null, 10)).length).toBe(1)
        clock.nowMs += MINUTE
        expect(await accounts.getValue('client:d')).toBeNull()
        expect(await keys('client:b', 10)).toEqual(['client:c'])
        await accounts.putValue('client:a', { value: 'other', metadata: null }, null)
        expect(await accounts.getValue('client:a')).toEqual({ value: 'other', metadata: null })
        await accounts.deleteValue('client:a')
        expect(await accounts.getValue('client:a')).toBeNull()
      })
    })

    describe('audit', () => {
      const entry = { actor: 'u', action: 'x', target: null, outcome: 'ok', credential: null, address: null }

      it('is read newest first, of one workspace or of all', async () => {
        for (const [index, workspace] of ['here', 'there', 'here', null].entries()) {
          await accounts.audit({ ...entry, workspace, action: `a${index}` })
        }
        const actions = async (limit: number, workspace?: typeof here) =>
          (await accounts.listAudit(limit, workspace)).map(({ action }) => action)
        expect(await actions(10)).toEqual(['a3', 'a2', 'a1', 'a0'])
        expect(await actions(3)).toEqual(['a3', 'a2', 'a1'])
        expect(await actions(10, here)).toEqual(['a2', 'a0'])
      })

      it('loses what is a quarter of a year old, and the rest stays', async () => {
        await accounts.audit({ ...entry, workspace: 'here', action: 'old' })
        clock.nowMs += 90 * DAY
        await accounts.audit({ ...entry, workspace: 'here', action: 'new' })
        await accounts.prune()
        expect((await accounts.listAudit(10)).map(({ action }) => action)).toEqual(['new'])
      })
    })

    it('forgets what is long over, and nobody who is there', async () => {
      await accounts.openSession(session({ access_hash: 'a', refresh_hash: 'r' }))
      await rotate('r', 'new')
      await accounts.spendOnce('n', clock.nowMs + MINUTE)
      clock.nowMs += 2 * DAY
      await accounts.prune()
      // A refresh token that was exchanged is still known for what it is while its session can be asked about.
      expect(await rotate('r', 'x')).toMatchObject({ outcome: 'reused' })
      clock.nowMs += 60 * DAY
      await accounts.prune()
      expect(await rotate('r', 'x')).toEqual({ outcome: 'over' })
      expect(await accounts.findKey('SHA256:anna')).not.toBeNull()
      expect(await accounts.listMemberships(anna.user_id)).toHaveLength(1)
    })
  })
}
