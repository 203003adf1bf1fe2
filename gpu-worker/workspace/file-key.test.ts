import { describe, expect, it } from 'vitest'
import { fileKey } from './file-key.ts'
import { parseRepositoryPath, type RepositoryPath } from './repository-path.ts'

describe('fileKey', () => {
  it('is one for both Unicode forms of a name, on every file system', () => {
    expect(fileKey('src/e\u0301.ts' as RepositoryPath, false)).toBe(fileKey(parseRepositoryPath('src/é.ts'), false))
  })

  it('tells case apart only where the file system does', () => {
    const [one, other] = [parseRepositoryPath('src/A.ts'), parseRepositoryPath('SRC/a.ts')]
    expect(fileKey(one, false)).not.toBe(fileKey(other, false))
    expect(fileKey(one, true)).toBe(fileKey(other, true))
    expect(fileKey(parseRepositoryPath('É.ts'), true)).toBe(fileKey(parseRepositoryPath('é.ts'), true))
  })
})
