import { describe, expect, it } from 'vitest'
import { type FileMode, typesOf, unknownTypes } from './file-types.ts'

const types = async (path: string, bytes = '', mode: FileMode = '100644'): Promise<string[]> =>
  [...(await typesOf(path, mode, async () => Buffer.from(bytes, 'latin1')))].toSorted()

describe('typesOf', () => {
  it.each([
    ['src/a.py', '', '100644', ['file', 'non-executable', 'python', 'text']],
    ['A.YML', '', '100644', ['file', 'non-executable', 'text', 'yaml']],
    ['Dockerfile', '', '100644', ['dockerfile', 'file', 'non-executable', 'text']],
    ['Dockerfile.test', '', '100644', ['dockerfile', 'file', 'non-executable', 'text']],
    ['src/a.mts', '', '100644', ['file', 'non-executable', 'text', 'ts']],
    ['Gemfile', '', '100644', ['file', 'non-executable', 'ruby', 'text']],
    ['logo.png', 'text', '100644', ['binary', 'file', 'image', 'non-executable', 'png']],
    ['run', '#!/usr/bin/env -S python3.11 -u\n', '100755', ['executable', 'file', 'python', 'python3', 'text']],
    ['run', '#!/bin/sh\n', '100755', ['executable', 'file', 'sh', 'shell', 'text']],
    ['run', '#!/bin/sh\n', '100644', ['file', 'non-executable', 'text']],
    ['data', 'a\0b', '100644', ['binary', 'file', 'non-executable']],
    ['notes', 'Stra\xdfe\t\x1b[1m', '100644', ['file', 'non-executable', 'text']],
    ['link.py', '', '120000', ['symlink']],
    ['constructor', 'x', '100644', ['file', 'non-executable', 'text']],
  ] as [string, string, FileMode, string[]][])('of %s (%j, %s) are %j', async (path, bytes, mode, expected) => {
    expect(await types(path, bytes, mode)).toEqual(expected)
  })

  it('asks for the bytes only where the name does not tell', async () => {
    const read = () => Promise.reject(new Error('asked'))
    await typesOf('a.py', '100755', read)
    await expect(typesOf('a', '100644', read)).rejects.toThrow('asked')
  })
})

describe('unknownTypes', () => {
  it('finds what there is no rule for', () => {
    expect(unknownTypes(['python', 'file', 'fortran', 'toString'])).toEqual(['fortran', 'toString'])
  })
})
