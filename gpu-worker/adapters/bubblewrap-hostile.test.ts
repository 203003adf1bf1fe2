import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { createTempRepository, hashTree, type TempRepository } from '#test/support/temp-repository.ts'
import type { CommandRequest, CommandRunner } from '../ports/command-runner.ts'
import { createProtectedPaths } from '../workspace/protected-paths.ts'
import { createBubblewrapRunner } from './bubblewrap-runner.ts'

// What a hostile repository can bring beside a hostile command: its own configuration, links, sockets, odd names.

const bubblewrap = await findBubblewrapForTests()

describe.skipIf('missing' in bubblewrap)(
  `a hostile repository${'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''}`,
  () => {
    let world: TempRepository
    let data: string
    let runner: CommandRunner
    beforeAll(async () => {
      world = await createTempRepository({ 'src/a.py': 'x = 1\n' })
      world.write('.ssh/id_ed25519', 'topsecret\n')
      world.write('.git/token', 'topsecret\n')
      world.write('../beside/notes/private', 'topsecret\n')
      symlinkSync('..', join(world.root, 'out'))
      data = join(world.folder, 'data')
      mkdirSync(data)
      if ('missing' in bubblewrap) return
      runner = createBubblewrapRunner({
        bubblewrap,
        root: world.root,
        protectedPaths: createProtectedPaths(),
        workFolder: data,
        folders: [],
        hiddenFolders: [data],
      })
    })
    afterAll(() => world.remove())

    const sh = (script: string, options: Partial<CommandRequest> = {}) =>
      runner.run({
        commandLine: ['sh', '-c', script],
        candidates: [],
        scratchFolders: [],
        timeoutMs: 20_000,
        ...options,
      })
    /** What is printed, also where the sandbox is refused. */
    const printed = (script: string, options: Partial<CommandRequest> = {}) =>
      sh(script, options).then(
        ({ output }) => output,
        (error: Error) => error.message,
      )

    it.each([
      ['in the folder of git', ['.git/x', 'y']],
      ['in a protected folder', ['.ssh/x', 'y']],
      ['behind a link', ['out/beside/notes/x', 'y']],
      ['behind a link that leads out', ['out/beside']],
      ['in a file', ['src/a.py/x']],
      ['that is a protected file', ['.git/token']],
    ])('gets nothing by a scratch folder %s', async (_where, scratchFolders) => {
      const before = hashTree(world.root)
      const output = await printed('cat .git/token .ssh/id_ed25519 out/beside/notes/private', { scratchFolders })
      expect(output).not.toContain('topsecret')
      expect(output).toMatch(/^Cannot run a command: the scratch folder/)
      expect(hashTree(world.root)).toBe(before)
      expect(readdirSync(data)).toEqual([])
    })

    it('speaks to nobody by a socket or a pipe that lies in the repository', async () => {
      const before = hashTree(world.root)
      const server = createServer((socket) => socket.end('topsecret\n'))
      await new Promise<void>((resolve) => server.listen(join(world.root, 'src/socket'), resolve))
      execFileSync('mkfifo', [join(world.root, 'src/pipe')])
      const connect = `import socket; s = socket.socket(socket.AF_UNIX); s.connect('src/socket'); print(s.recv(99))`
      try {
        for (const candidates of [[], [{ path: 'src/new.py', text: '' }]]) {
          const output = await printed(`/usr/bin/python3 -c "${connect}"; test -p src/pipe && echo pipe`, {
            candidates,
          })
          expect(output).not.toMatch(/topsecret|^pipe$/m)
          expect(output).toMatch(/refused|No such file/)
        }
      } finally {
        await new Promise((resolve) => server.close(resolve))
        rmSync(join(world.root, 'src/pipe'))
      }
      expect(hashTree(world.root)).toBe(before)
    })

    it('can set nothing of the kernel, as root neither', async () => {
      const same =
        'f=/proc/sys/vm/swappiness; v=$(cat $f); [ -n "$v" ] && echo read; (printf %s "$v" > $f) 2>/dev/null && echo written'
      expect(await printed(same)).toBe('read\n')
      expect(await printed('find /proc -not -path "/proc/[0-9]*" -not -type l -writable 2>/dev/null')).toBe('')
      expect(await printed('ls -A /usr/local/etc 2>/dev/null')).toBe('')
    })

    it('opens nothing in a folder that cannot be listed', async () => {
      world.write('dark/deep/.env', 'topsecret\n')
      chmodSync(join(world.root, 'dark'), 0o111)
      try {
        expect(await printed('cat dark/deep/.env')).not.toContain('topsecret')
      } finally {
        chmodSync(join(world.root, 'dark'), 0o755)
      }
    })

    it('gets no command run where a name that is not UTF-8 stands before a protected file', async () => {
      const folder = Buffer.concat([Buffer.from(`${world.root}/caf`), Buffer.from([0xe9])])
      mkdirSync(folder)
      writeFileSync(Buffer.concat([folder, Buffer.from('/.env')]), 'topsecret\n')
      try {
        const output = await printed('cat caf*/.env')
        expect(output).not.toContain('topsecret')
        expect(output).toContain('has a name that is not UTF-8')
      } finally {
        rmSync(folder, { recursive: true })
      }
    })

    it('shows no git folder under another name, and no bare repository', async () => {
      execFileSync('git', ['init', '--quiet', '--bare', join(world.root, 'src/mirror')])
      world.write('src/mirror/token', 'topsecret\n')
      try {
        expect(await printed('cat src/mirror/token')).not.toContain('topsecret')
      } finally {
        rmSync(join(world.root, 'src/mirror'), { recursive: true })
      }
    })

    it('stands beside files of odd names and modes without being in the way of a new file', async () => {
      const odd = Buffer.concat([Buffer.from(`${world.root}/src/caf`), Buffer.from([0xe9, 0x2e, 0x70, 0x79])])
      const plain = ['src/-rf', 'src/two words', 'src/line\nbreak', `src/quote'"$(id)`]
      writeFileSync(odd, 'x')
      for (const path of plain) world.write(path, 'x')
      try {
        const candidates = [{ path: 'src/new.py', text: 'new\n' }]
        expect(await printed('cat src/new.py; ls src | wc -l', { candidates })).toMatch(/^new\n\d+\n$/)
      } finally {
        rmSync(odd)
        for (const path of plain) rmSync(join(world.root, path))
      }
    })
  },
)
