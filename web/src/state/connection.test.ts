import { describe, expect, it } from 'vitest'
import { type ConnectionPorts, lookAtConnection, retryDelayMs, type ServerInfo } from './connection.ts'

type Worker = ServerInfo['workers'][number]
const model = { name: 'small', state: 'ready', detail: '' } as Worker['models'][number]
const info = (...models: Worker['models']) => ({ workers: [{ models } as Worker] }) as ServerInfo
const well: ConnectionPorts = {
  isOnline: () => true,
  health: async () => ({ registry: true, nats: true }),
  serverInfo: async () => info(model),
}
const down = async (): Promise<never> => {
  throw new TypeError('Failed to fetch')
}

describe('lookAtConnection', () => {
  it.each<[string, Partial<ConnectionPorts>, string]>([
    ['all is well', {}, 'ok'],
    ['nobody is signed in', { serverInfo: async () => null }, 'ok'],
    ['there is no network', { isOnline: () => false, health: down }, 'offline'],
    ['the server does not answer', { health: down }, 'server_unreachable'],
    ['NATS is not reached', { health: async () => ({ registry: true, nats: false }) }, 'server_failing'],
    ['there is no worker', { serverInfo: async () => ({ ...info(), workers: [] }) }, 'worker_offline'],
    ['the model loads', { serverInfo: async () => info({ ...model, state: 'loading' }) }, 'model_unavailable'],
    ['one of two models is ready', { serverInfo: async () => info({ ...model, state: 'failed' }, model) }, 'ok'],
  ])('tells when %s', async (_when, ports, condition) => {
    expect((await lookAtConnection({ ...well, ...ports })).condition).toBe(condition)
  })

  it('is looked at again soon after a failure, and less and less often', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map(retryDelayMs)).toEqual([15_000, 1000, 2000, 4000, 8000, 15_000, 15_000])
  })
})
