import { chmodSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { openRepository } from './simple-git.ts'

let repository: TempRepository
beforeEach(async () => {
  repository = await createTempRepository()
})
afterEach(() => repository.remove())

describe('what a repository would have git run', () => {
  it('is nothing in a plain one', async () => {
    expect(await (await openRepository({ root: repository.root })).notices()).toEqual([])
  })

  it.each([
    ['core.hooksPath', '.husky', 'hooks'],
    ['hook.x.command', 'x', 'hooks'],
    ['core.fsmonitor', 'x', 'core.fsmonitor'],
    ['filter.evil.process', 'x', 'refused: the configuration names filter programs ("evil")'],
    ['diff.external', 'x', 'External diff'],
    ['diff.evil.command', 'x', 'External diff'],
    ['diff.evil.textconv', 'x', 'Text conversion'],
    ['commit.gpgSign', 'true', 'not signed'],
    ['gpg.ssh.program', 'x', 'Signatures'],
    ['core.pager', 'x', 'Pagers'],
    ['pager.log', 'x', 'Pagers'],
    ['core.editor', 'x', 'editors'],
    ['core.sshCommand', 'x', 'remotes'],
    ['credential.https://x.helper', '!x', 'credentials'],
    ['remote.evil.uploadpack', 'x', 'remotes'],
    ['trailer.x.cmd', 'x', 'trailers'],
    ['merge.evil.driver', 'x', 'Merge drivers'],
    ['maintenance.auto', 'true', 'maintenance'],
  ])('is said of %s when it is opened, and each time that somebody asks', async (name, value, said) => {
    await repository.git('config', name, value)
    const heard: string[] = []
    const opened = await openRepository({ root: repository.root, onNotice: (notice) => heard.push(notice) })
    expect(heard).toEqual([expect.stringContaining(said)])
    expect(await opened.notices()).toEqual(heard)
    expect(heard).toHaveLength(1)
  })

  it('is said as soon as it changes, once, and again after it was gone', async () => {
    const heard: string[] = []
    const opened = await openRepository({ root: repository.root, onNotice: (notice) => heard.push(notice) })
    await repository.git('config', 'core.fsmonitor', 'x')
    await opened.status()
    await opened.status()
    expect(heard).toEqual(['core.fsmonitor is switched off'])
    repository.write('.git/hooks/pre-commit', '#!/bin/sh\n')
    chmodSync(join(repository.root, '.git/hooks/pre-commit'), 0o755)
    expect(await opened.notices()).toEqual([
      'core.fsmonitor is switched off',
      'Git hooks of the repository are not run',
    ])
    expect(heard).toHaveLength(2)
    await repository.git('config', '--unset', 'core.fsmonitor')
    await opened.status()
    await repository.git('config', 'core.fsmonitor', 'x')
    await opened.status()
    expect(heard).toHaveLength(3)
  })

  it('is said of a filter that the owner allowed, too', async () => {
    await repository.git('config', 'filter.lfs.clean', 'cat')
    const opened = await openRepository({ root: repository.root, allowFilters: ['lfs'] })
    expect(await opened.notices()).toEqual(['Filter programs that the owner allowed are run: "lfs"'])
  })

  it('is that it cannot be used any more, where it was exchanged', async () => {
    const opened = await openRepository({ root: repository.root })
    renameSync(join(repository.root, '.git'), join(repository.folder, 'aside'))
    expect(await opened.notices()).toEqual([expect.stringContaining('not the one that was opened')])
  })
})
