import { describe, expect, it } from 'vitest'
import { parseConfig } from './config.ts'

const complete = {
  NATS_URL: 'nats://edge:p%40ss@127.0.0.1:4333',
  MILLWRIGHT_DATA: '/data',
  MILLWRIGHT_WORKSPACE: 'demo',
}

describe('config', () => {
  it('takes the credentials out of the NATS URL and fills in defaults', () => {
    expect(parseConfig(complete)).toEqual({
      nats: { server: 'nats://127.0.0.1:4333', user: 'edge', password: 'p@ss' },
      dataFolder: '/data',
      workspace: 'demo',
      port: 8000,
      host: '127.0.0.1',
      publicOrigin: null,
      pageOrigins: [],
      behindProxy: false,
    })
  })

  it('believes a proxy only where it is told to', () => {
    expect(parseConfig({ ...complete, MILLWRIGHT_BEHIND_PROXY: '1' }).behindProxy).toBe(true)
  })

  it('takes the origins whose pages may call', () => {
    const named = ' https://app.example, http://localhost:5173,http://page.localhost:1,'
    expect(parseConfig({ ...complete, MILLWRIGHT_PAGE_ORIGINS: named }).pageOrigins).toEqual([
      'https://app.example',
      'http://localhost:5173',
      'http://page.localhost:1',
    ])
  })

  it('takes the address at which others reach the edge', () => {
    expect(parseConfig({ ...complete, MILLWRIGHT_PUBLIC_URL: 'https://mill.example/' }).publicOrigin).toBe(
      'https://mill.example',
    )
  })

  it.each([
    ['NATS_URL', undefined],
    ['NATS_URL', 'http://x'],
    ['NATS_URL', 'secret-password'],
    ['MILLWRIGHT_DATA', undefined],
    ['MILLWRIGHT_DATA', ''],
    ['MILLWRIGHT_WORKSPACE', 'Not A Workspace'],
    ['MILLWRIGHT_WORKSPACE', 'a.>'],
    ['MILLWRIGHT_PORT', '70000'],
    ['MILLWRIGHT_PORT', '-1'],
    ['MILLWRIGHT_HOST', '0.0.0.0'],
    ['MILLWRIGHT_BEHIND_PROXY', 'yes'],
    ['MILLWRIGHT_PAGE_ORIGINS', '*'],
    ['MILLWRIGHT_PAGE_ORIGINS', 'null'],
    ['MILLWRIGHT_PAGE_ORIGINS', 'http://app.example'],
    ['MILLWRIGHT_PAGE_ORIGINS', 'https://app.example/'],
    ['MILLWRIGHT_PAGE_ORIGINS', 'https://*.example'],
    ['MILLWRIGHT_PAGE_ORIGINS', 'https://ok.example,https://user:secret-password@app.example'],
    ['MILLWRIGHT_PUBLIC_URL', 'http://mill.example'],
    ['MILLWRIGHT_PUBLIC_URL', 'https://mill.example/mcp'],
    ['MILLWRIGHT_PUBLIC_URL', 'https://user:secret-password@mill.example'],
  ])('refuses %s=%j, naming it and not its value', (name, value) => {
    let message = ''
    try {
      parseConfig({ ...complete, [name]: value })
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain(name)
    expect(message).not.toContain('secret-password')
  })
})
