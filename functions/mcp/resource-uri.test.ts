import { describe, expect, it } from 'vitest'
import { agentFileUri, agentUri, parseResourceUri } from './resource-uri.ts'

describe('parseResourceUri', () => {
  it.each([
    ['millwright://rules', { kind: 'rules' }],
    ['millwright://reports/server', { kind: 'server_report' }],
    ['millwright://reports/bugs', { kind: 'bugs_report' }],
    ['millwright://reports/jobs/job_1', { kind: 'job_report', jobId: 'job_1' }],
    [agentUri('A-1'), { kind: 'agent', agentId: 'A-1' }],
    [agentFileUri('A-1'), { kind: 'agent_file', agentId: 'A-1' }],
    ['millwright://files/src/a.py', { kind: 'file', path: 'src/a.py' }],
    ['millwright://files/src/caf%C3%A9%20%25.md', { kind: 'file', path: 'src/café %.md' }],
    ['millwright://files/what?#.md', { kind: 'file', path: 'what?#.md' }],
    // Handed on as they stand: only the worker judges paths.
    ['millwright://files/../a.py', { kind: 'file', path: '../a.py' }],
    ['millwright://files/%2e%2e/a.py', { kind: 'file', path: '../a.py' }],
    ['millwright://files//etc/passwd', { kind: 'file', path: '/etc/passwd' }],
    ['millwright://files/', { kind: 'file', path: '' }],
    ['millwright://agents/..%2Fother', { kind: 'agent', agentId: '../other' }],
  ])('reads %s', (uri, address) => {
    expect(parseResourceUri(uri)).toEqual(address)
  })

  it.each([
    '',
    'rules',
    'file:///etc/passwd',
    'http://127.0.0.1/rules',
    'MILLWRIGHT://rules',
    'millwright:rules',
    'millwright://',
    'millwright://rules/',
    'millwright://rules?x',
    'millwright://agents',
    'millwright://agents/a/files',
    'millwright://agents/a/file/b',
    'millwright://reports/other',
    'millwright://reports/jobs',
    'millwright://reports/jobs/a/b',
    'millwright://other/agents/a',
  ])('knows none of the address %j', (uri) => {
    expect(parseResourceUri(uri)).toBeNull()
  })

  it('refuses what cannot be decoded, and what is longer than any path', () => {
    expect(() => parseResourceUri('millwright://files/100%.md')).toThrow(/% that encodes nothing/)
    expect(() => parseResourceUri('millwright://agents/%ff')).toThrow(/% that encodes nothing/)
    expect(() => parseResourceUri(`millwright://files/${'a'.repeat(7000)}`)).toThrow(/characters, limit/)
  })
})
