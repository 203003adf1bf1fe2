import { Hono } from 'hono'
import { AppError } from '#shared/errors.ts'
import { type EdgeBindings, limitCallers } from '../http/caller-limits.ts'
import { readJson } from '../http/json-body.ts'
import type { Authenticator } from '../ports/authenticator.ts'
import type { AppPorts, SignIn } from '../ports/edge-ports.ts'
import {
  type Administration,
  createAdministration,
  KeyWish,
  MachineWish,
  RemovalWish,
  RevocationWish,
  RoleWish,
  TokenWish,
} from './administration.ts'
import { createAudit } from './audit.ts'

/**
 * `npm run keys -- --edge URL` over HTTP: who may use a server on whose machine nobody can run a command. The owner's token
 * opens this and nothing else from elsewhere; whoever presents another one is in the audit log, and is slowed down.
 */
export function createAdministrationRoutes(
  { clock, log, workspace }: AppPorts,
  { accounts }: SignIn,
  administrator: Authenticator,
): Hono<EdgeBindings> {
  const audit = createAudit(accounts, log)
  const authenticate = limitCallers(administrator, clock)
  const app = new Hono<EdgeBindings>()

  async function admit(request: Request, address: string): Promise<Administration> {
    try {
      await authenticate(request, address)
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthenticated') {
        await audit.record({ actor: 'nobody', action: 'keys.administer', outcome: error.code, address })
      }
      throw error
    }
    return createAdministration({ accounts, clock, workspace, address })
  }

  app.get('/people', async ({ req, env, json }) => json(await (await admit(req.raw, env.address)).list()))

  app.post('/keys', async ({ req, env, json }) => {
    const administration = await admit(req.raw, env.address)
    return json(await administration.addKey(await readJson(req.raw, 'the key', KeyWish)), 201)
  })

  app.post('/grant', async ({ req, env, json }) => {
    const administration = await admit(req.raw, env.address)
    return json(await administration.grant(await readJson(req.raw, 'the role', RoleWish)))
  })

  app.post('/remove', async ({ req, env, json }) => {
    const administration = await admit(req.raw, env.address)
    return json(await administration.remove(await readJson(req.raw, 'who is removed', RemovalWish)))
  })

  app.post('/tokens', async ({ req, env, json }) => {
    const administration = await admit(req.raw, env.address)
    return json(await administration.makeToken(await readJson(req.raw, 'the token', TokenWish)), 201)
  })

  app.post('/revoke', async ({ req, env, json }) => {
    const administration = await admit(req.raw, env.address)
    return json(await administration.revoke(await readJson(req.raw, 'what is revoked', RevocationWish)))
  })

  app.post('/revoke-machine', async ({ req, env, json }) => {
    const administration = await admit(req.raw, env.address)
    return json(await administration.revokeMachine(await readJson(req.raw, 'which machine is revoked', MachineWish)))
  })

  return app
}
