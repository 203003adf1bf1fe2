import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findToolFolders } from './tool-folders.ts'

describe('findToolFolders', () => {
  let top: string
  beforeEach(() => {
    top = realpathSync(mkdtempSync(join(tmpdir(), 'millwright-test-')))
    mkdirSync(join(top, 'home'))
    mkdirSync(join(top, 'repository'))
  })
  afterEach(() => rmSync(top, { recursive: true }))

  const at = (path: string): string => join(top, path)
  const write = (path: string, text = ''): void => {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), text)
  }
  const program = (path: string): void => {
    write(path, '#!/bin/sh\n')
    chmodSync(at(path), 0o755)
  }
  const link = (path: string, target: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true })
    symlinkSync(target, at(path))
  }
  /** An installation of Python as its makers lay it out. */
  const python = (folder: string, version = '3.12'): void => {
    program(`${folder}/bin/python${version}`)
    link(`${folder}/bin/python3`, `python${version}`)
    write(`${folder}/lib/python${version}/os.py`)
  }
  const find = (path: readonly string[], environment: Record<string, string> = {}) => {
    const searchPath = [...path.map(at), '/usr/bin', '/bin'].join(delimiter)
    const found = findToolFolders({ searchPath, environment, home: at('home'), root: at('repository') })
    const short = (each: string): string => each.replace(`${top}/`, '')
    return {
      programs: found.programs.map(short),
      others: found.others.map(short),
      masked: found.masked.map(({ path: masked }) => short(masked)),
      environment: Object.fromEntries(Object.entries(found.environment).map(([name, value]) => [name, short(value)])),
    }
  }
  const nothing = { programs: [], others: [], masked: [], environment: {} }

  it('shows nothing where the search path leads to the system', () => {
    python('home/unused')
    expect(find([])).toEqual(nothing)
  })

  it('follows a shim of pyenv to the version that is chosen, and shows the others to virtual environments', () => {
    for (const version of ['3.12.1', '3.11.7']) python(`home/.pyenv/versions/${version}`, version.slice(0, 4))
    program('home/.pyenv/shims/python3')
    write('home/.pyenv/version', '3.11.7\nsystem\n')
    write('home/.pyenv/versions/broken/lib/python3.9/nothing')
    const one = 'home/.pyenv/versions/3.11.7'
    const other = 'home/.pyenv/versions/3.12.1'
    expect(find(['home/.pyenv/shims'])).toEqual({ ...nothing, programs: [one], others: [other] })
    expect(find(['home/.pyenv/shims'], { PYENV_VERSION: '3.12.1' }).programs).toEqual([other])
    for (const version of ['../../..', '..', '/', '3.11.7/../../..'])
      expect(find(['home/.pyenv/shims'], { PYENV_VERSION: version }).programs).toEqual([])
  })

  it('shows a virtual environment with the Python that it was made of', () => {
    python('home/apps/python')
    write('home/venvs/work/pyvenv.cfg')
    write('home/venvs/work/pip.conf', 'token')
    link('home/venvs/work/bin/python3', at('home/apps/python/bin/python3'))
    expect(find(['home/venvs/work/bin'])).toEqual({
      ...nothing,
      programs: ['home/venvs/work', 'home/apps/python'],
      masked: ['home/venvs/work/pip.conf'],
    })
  })

  it('does not show a project that is a virtual environment as well', () => {
    python('home/apps/python')
    write('home/other/pyvenv.cfg')
    write('home/other/.env', 'token')
    link('home/other/bin/python3', at('home/apps/python/bin/python3'))
    expect(find(['home/other/bin']).programs).toEqual(['home/apps/python'])
  })

  it('shows what uv keeps, which a .venv leads to', () => {
    python('home/.local/share/uv/python/cpython-3.13', '3.13')
    expect(find([])).toEqual({ ...nothing, others: ['home/.local/share/uv/python/cpython-3.13'] })
  })

  it('finds Node, Go and the toolchain of rustup', () => {
    program('home/.nvm/versions/node/v24/bin/node')
    write('home/.nvm/versions/node/v24/include/node/node_version.h')
    write('home/.nvm/versions/node/v24/etc/npmrc', 'token')
    program('home/sdk/go/bin/go')
    write('home/sdk/go/VERSION')
    write('home/sdk/go/src/runtime/a.go')
    program('home/.cargo/bin/rustup')
    link('home/.cargo/bin/cargo', 'rustup')
    write('home/.rustup/settings.toml', 'default_toolchain = "stable-x86_64-unknown-linux-gnu"\n')
    write('home/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/lib/rustlib/a')
    write('home/.rustup/toolchains/nightly/lib/rustlib/a')
    expect(find(['home/.nvm/versions/node/v24/bin', 'home/sdk/go/bin', 'home/.cargo/bin'])).toEqual({
      ...nothing,
      programs: [
        'home/.nvm/versions/node/v24',
        'home/sdk/go',
        'home/.rustup/toolchains/stable-x86_64-unknown-linux-gnu',
      ],
      masked: ['home/.nvm/versions/node/v24/etc'],
    })
  })

  it('shows packages that were fetched, and not the accounts beside them', () => {
    write('home/.cargo/credentials.toml', 'token')
    write('home/.cargo/registry/src/a')
    write('home/go/pkg/mod/a')
    write('home/.local/lib/python3.11/site-packages/a.py')
    expect(find([])).toEqual({
      ...nothing,
      others: ['home/go/pkg/mod', 'home/.local/lib/python3.11/site-packages', 'home/.cargo/registry'],
      environment: { CARGO_HOME: 'home/.cargo', GOMODCACHE: 'home/go/pkg/mod', PYTHONUSERBASE: 'home/.local' },
    })
  })

  it.each([
    ['a home', 'home/bin/python3', 'home/lib/python3.12/os.py'],
    ['a folder that holds the repository', 'bin/python3', 'lib/python3.12/os.py'],
    ['what is no installation', 'home/.local/bin/python3', 'home/.local/lib/python3.12/site-packages.txt'],
    ["what is the repository's own", 'repository/.venv/bin/python3', 'repository/.venv/lib/python3.12/os.py'],
    ['~/.local with a Python in it', 'home/.local/bin/python3', 'home/.local/lib/python3.12/os.py'],
    ['~/.local with a Node in it', 'home/.local/bin/node', 'home/.local/include/node/node_version.h'],
  ])('never shows %s for a program in it', (_what, place, mark) => {
    program(place)
    write(mark)
    expect(find([dirname(place)])).toEqual(nothing)
  })
})
