import { describe, expect, it } from 'vitest'
import { type EdgeEnvironment, parseWorkerdConfig } from './workerd-config.ts'

const TOKEN = `mw_${'x'.repeat(43)}`
const complete: EdgeEnvironment = {
  NATS_URL: 'wss://edge:p%40ss@nats.example.com/ws',
  MILLWRIGHT_TOKEN: TOKEN,
  MILLWRIGHT_SIGNING_KEY: 'k'.repeat(43),
  MILLWRIGHT_WORKSPACE: 'demo',
  MILLWRIGHT_HOSTNAMES: 'mill.example.com, localhost,[::1]',
}

describe('workerd config', () => {
  it('takes the credentials out of the NATS URL, and names apart', () => {
    expect(parseWorkerdConfig(complete)).toEqual({
      nats: { server: 'wss://nats.example.com/ws', user: 'edge', password: 'p@ss' },
      token: TOKEN,
      signingKeys: ['k'.repeat(43)],
      workspace: 'demo',
      hostnames: ['mill.example.com', 'localhost', '[::1]'],
      pageOrigins: [],
      publicOrigin: null,
    })
    const { nats } = parseWorkerdConfig({ ...complete, NATS_URL: 'ws://127.0.0.1:9222' })
    expect(nats).toEqual({ server: 'ws://127.0.0.1:9222', user: '', password: '' })
  })

  it('takes a second key while the first one is being exchanged', () => {
    const both = `${'k'.repeat(43)},${'l'.repeat(43)}`
    expect(parseWorkerdConfig({ ...complete, MILLWRIGHT_SIGNING_KEY: both }).signingKeys).toEqual(both.split(','))
  })

  it('answers to the name of its public address without being told twice', () => {
    const parsed = parseWorkerdConfig({ ...complete, MILLWRIGHT_PUBLIC_URL: 'https://agents.example.com/' })
    expect(parsed.publicOrigin).toBe('https://agents.example.com')
    expect(parsed.hostnames).toContain('agents.example.com')
    expect(parseWorkerdConfig({ ...complete, MILLWRIGHT_PUBLIC_URL: '' }).publicOrigin).toBeNull()
  })

  it.each([
    ['NATS_URL', undefined],
    ['NATS_URL', 'nats://edge:secret-password@127.0.0.1:4222'],
    ['NATS_URL', 'secret-password'],
    ['MILLWRIGHT_SIGNING_KEY', undefined],
    ['MILLWRIGHT_SIGNING_KEY', 'secret-password'],
    ['MILLWRIGHT_SIGNING_KEY', `${'k'.repeat(43)},secret-password`],
    ['MILLWRIGHT_TOKEN', undefined],
    ['MILLWRIGHT_TOKEN', ''],
    ['MILLWRIGHT_TOKEN', 'secret-password'],
    ['MILLWRIGHT_TOKEN', `secret-password ${'x'.repeat(50)}`],
    ['MILLWRIGHT_WORKSPACE', undefined],
    ['MILLWRIGHT_WORKSPACE', 'a.>'],
    ['MILLWRIGHT_HOSTNAMES', undefined],
    ['MILLWRIGHT_HOSTNAMES', ''],
    ['MILLWRIGHT_HOSTNAMES', 'localhost:8000'],
    ['MILLWRIGHT_HOSTNAMES', '*'],
    ['MILLWRIGHT_PAGE_ORIGINS', '*'],
    ['MILLWRIGHT_PAGE_ORIGINS', 'http://app.example'],
    ['MILLWRIGHT_PUBLIC_URL', 'http://mill.example.com'],
    ['MILLWRIGHT_PUBLIC_URL', 'https://mill.example.com/mcp'],
    ['MILLWRIGHT_PUBLIC_URL', 'https://edge:secret-password@mill.example.com'],
  ])('refuses %s=%j, naming it and not its value', (name, value) => {
    const { [name as keyof EdgeEnvironment]: _left, ...others } = complete
    const environment = value === undefined ? others : { ...others, [name]: value }
    let message = ''
    try {
      parseWorkerdConfig(environment)
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain(value === undefined ? `${name} is missing` : name)
    expect(message).not.toContain('secret-password')
  })
})
