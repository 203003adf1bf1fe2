import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTempRepository, hashTree, type TempRepository } from '#test/support/temp-repository.ts'
import { createNodeFileTree } from '../adapters/node-file-tree.ts'
import { createSettingsSource, protectionOf } from '../gates/settings-source.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { createProtectedFileTree } from './repository-protection.ts'

let temporary: TempRepository
let files: FileTree
beforeAll(async () => {
  temporary = await createTempRepository({ 'db/1.sql': 'one\n', 'src/a.py': 'x = 1\n' })
  const tree = await createNodeFileTree({ root: temporary.root })
  files = createProtectedFileTree(tree, protectionOf(createSettingsSource(tree)))
})
afterAll(() => temporary?.remove())
const protect = (): void => temporary.write('millwright.json', '{ "protected_paths": ["db/**"] }')
beforeEach(protect)

const text = new TextEncoder().encode('two\n')
const refused = { code: 'protected_path', message: expect.stringContaining('the repository protects it') }

describe('createProtectedFileTree', () => {
  it('refuses to write what the repository protects, new or there, and lets it be read', async () => {
    await expect(files.resolve('db/1.sql', 'write')).rejects.toMatchObject(refused)
    await expect(files.resolve('./db//2.sql', 'write')).rejects.toMatchObject(refused)
    expect(Buffer.from((await files.read('db/1.sql', 100)).bytes).toString()).toBe('one\n')
    expect(await files.resolve('db/1.sql', 'read')).toMatchObject({ exists: true })
    expect(await files.resolve('src/b.py', 'write')).toMatchObject({ exists: false })
  })

  it('refuses a link that leads to it', async () => {
    symlinkSync('../db/1.sql', join(temporary.root, 'src', 'link.sql'))
    await expect(files.resolve('src/link.sql', 'write')).rejects.toMatchObject(refused)
  })

  it('judges again right before bytes are written or removed', async () => {
    temporary.write('millwright.json', '{}')
    const file = await files.resolve('db/1.sql', 'write')
    const { sha256 } = await files.read('db/1.sql', 100)
    protect()
    const before = hashTree(temporary.root)
    await expect(files.write(file, text, sha256)).rejects.toMatchObject(refused)
    await expect(files.remove(file, sha256)).rejects.toMatchObject(refused)
    expect(hashTree(temporary.root)).toBe(before)
  })

  it('writes and removes nothing while nobody can tell what is protected', async () => {
    const file = await files.resolve('src/a.py', 'write')
    const { sha256 } = await files.read('src/a.py', 100)
    temporary.write('millwright.json', '{ "protected_path": ["db/**"] }')
    const unknown = { code: 'protected_path', message: expect.stringContaining('millwright.json is wrong') }
    await expect(files.write(file, text, sha256)).rejects.toMatchObject(unknown)
    await expect(files.remove(file, sha256)).rejects.toMatchObject(unknown)
    expect(temporary.read('src/a.py')).toBe('x = 1\n')
  })

  it('opens nothing that is protected anyway', async () => {
    temporary.write('millwright.json', '{ "protected_paths": [] }')
    await expect(files.resolve('.env', 'read')).rejects.toMatchObject({ code: 'protected_path' })
    await expect(files.resolve('millwright.json', 'write')).rejects.toMatchObject({ code: 'protected_path' })
  })
})
