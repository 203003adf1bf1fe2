import { execFile, spawn } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { createTempRepository, hashTree, type TempRepository } from '#test/support/temp-repository.ts'
import type { Candidate, CommandLine, CommandOutcome, CommandRunner } from '../ports/command-runner.ts'
import { createProtectedPaths } from '../workspace/protected-paths.ts'
import { createBubblewrapRunner } from './bubblewrap-runner.ts'
import { createCommandCgroup } from './command-cgroup.ts'

// The sandbox itself, with the real bubblewrap: what a hostile command cannot do, and what an honest one can.

const execute = promisify(execFile)
/** Resolves when it is so; the test's own time limit is what ends it otherwise. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}
/** Whether the kernel, and not only our looks at it, ends the growth of a command's processes here. */
function isBombBounded(): boolean {
  if (process.getuid?.() !== 0) return true
  const group = createCommandCgroup(64)
  group?.remove()
  return group !== null
}
const bubblewrap = await findBubblewrapForTests()

describe.skipIf('missing' in bubblewrap)(
  `createBubblewrapRunner${'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''}`,
  () => {
    let world: TempRepository
    let data: string
    let runner: CommandRunner

    beforeAll(async () => {
      world = await createTempRepository({
        'src/a.py': 'x = 1\n',
        'src/b.py': 'y = 2\n',
        'src/large.bin': 'z'.repeat(300_000),
        '.gitignore': 'node_modules/\n.env\n',
      })
      world.write('.env', 'TOKEN=topsecret\n')
      world.write('config/.env.local', 'TOKEN=topsecret\n')
      world.write('.ssh/id_ed25519', 'topsecret\n')
      world.write('certs/server.key', 'topsecret\n')
      world.write('node_modules/tool/index.js', 'module.exports = 7\n')
      world.write('node_modules/tool/.npmrc', '//registry/:_authToken=topsecret\n')
      world.write('node_modules/.bin/tool', '#!/bin/sh\necho tool ran\n')
      chmodSync(join(world.root, 'node_modules/.bin/tool'), 0o755)
      world.write('outside/../src/run.sh', '#!/bin/sh\necho run\n')
      chmodSync(join(world.root, 'src/run.sh'), 0o755)
      symlinkSync('b.py', join(world.root, 'src/link.py'))
      data = join(world.folder, 'data')
      mkdirSync(data)
      world.write('../data/journal', 'topsecret\n')
      symlinkSync(join(world.folder, 'data', 'journal'), join(world.root, 'leads-out'))
      symlinkSync('.env', join(world.root, 'leads-to-env'))
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

    it('begins anew where what it had found is gone when it is to be hidden', async () => {
      if ('missing' in bubblewrap) return
      // As another's file that is being written: it is there for the survey, and not for the sandbox.
      const passing = join(world.root, 'src', '.millwright-0123456789abcdef.tmp')
      const binary = join(world.folder, 'late-bwrap')
      writeFileSync(binary, `#!/bin/sh\nrm -f '${passing}'\nexec '${bubblewrap.binary}' "$@"\n`, { mode: 0o755 })
      writeFileSync(passing, 'half')
      const late = createBubblewrapRunner({
        bubblewrap: { ...bubblewrap, binary },
        root: world.root,
        protectedPaths: createProtectedPaths(),
        workFolder: data,
        folders: [],
        hiddenFolders: [],
      })
      const request = { commandLine: ['true'] as const, candidates: [], scratchFolders: [], timeoutMs: 20_000 }
      expect(await late.run(request)).toMatchObject({ kind: 'ended', status: 0 })
    })

    const run = (
      commandLine: CommandLine,
      {
        candidates = [],
        timeoutMs = 20_000,
        scratchFolders = [] as string[],
        signal = undefined as AbortSignal | undefined,
      }: {
        candidates?: readonly Candidate[]
        timeoutMs?: number
        scratchFolders?: string[]
        signal?: AbortSignal | undefined
      } = {},
    ): Promise<CommandOutcome> => runner.run({ commandLine, candidates, scratchFolders, timeoutMs }, signal)
    const sh = (script: string, options: Parameters<typeof run>[1] = {}) => run(['sh', '-c', script], options)
    /** Empty where it has ended. */
    const commandLineOf = (pid: string): string => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    }
    /** Processes on this machine that carry a word in their command line. */
    const carrying = (word: string): string[] =>
      readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLineOf(pid).includes(word))

    it('runs a program of the system on the repository, from its top', async () => {
      expect(await run(['cat', 'src/a.py'])).toMatchObject({ kind: 'ended', status: 0, output: 'x = 1\n' })
      expect(await sh('exit 7')).toMatchObject({ kind: 'ended', status: 7 })
    })

    it('shows the candidate in the place of the file, and leaves the file alone', async () => {
      const before = hashTree(world.root)
      const candidates = [{ path: 'src/a.py', text: 'x = 3\n' }]
      expect(await run(['cat', 'src/a.py', 'src/b.py'], { candidates })).toMatchObject({ output: 'x = 3\ny = 2\n' })
      expect(world.read('src/a.py')).toBe('x = 1\n')
      expect(hashTree(world.root)).toBe(before)
    })

    it.each([
      [
        'in a folder with other files',
        'src/new.py',
        'cat src/new.py src/b.py src/link.py; wc -c < src/large.bin; ./src/run.sh',
        'new\ny = 2\ny = 2\n300000\nrun\n',
      ],
      ['at the top', 'new.py', 'cat new.py src/a.py; ls certs', 'new\nx = 1\nserver.key\n'],
      ['in folders that are not there', 'src/deep/er/new.py', 'cat src/deep/er/new.py src/a.py', 'new\nx = 1\n'],
    ])('shows a new file %s', async (_where, path, script, output) => {
      const before = hashTree(world.root)
      const candidates = [{ path, text: 'new\n' }]
      expect(await sh(script, { candidates })).toMatchObject({ kind: 'ended', status: 0, output })
      expect(hashTree(world.root)).toBe(before)
    })

    it('shows many candidates at once, in place of files and beside them', async () => {
      const before = hashTree(world.root)
      const paths = [
        'src/a.py',
        'src/b.py',
        'src/new.py',
        'src/deep/one.py',
        'src/deep/er/two.py',
        'top.py',
        'other/three.py',
      ]
      const candidates = paths.map((path) => ({ path, text: `${path} as it is to be\n` }))
      const script = `cat ${paths.join(' ')} src/link.py; wc -c < src/large.bin; cat .env certs/server.key; ls src/deep other`
      expect(await sh(script, { candidates })).toMatchObject({
        kind: 'ended',
        status: 0,
        output: [
          ...[...paths, 'src/b.py'].map((path) => `${path} as it is to be`),
          ...['300000', 'other:', 'three.py', '', 'src/deep:', 'er', 'one.py', ''],
        ].join('\n'),
      })
      expect(hashTree(world.root)).toBe(before)
    })

    it('keeps the mode of the file whose place the candidate takes', async () => {
      const candidates = [{ path: 'src/run.sh', text: '#!/bin/sh\necho other\n' }]
      expect(await run(['./src/run.sh'], { candidates })).toMatchObject({ output: 'other\n' })
    })

    it('finds what is installed in the repository', async () => {
      expect(await run(['tool'])).toMatchObject({ output: 'tool ran\n' })
      expect(await runner.obstacle(['tool'])).toBeNull()
      expect(await runner.obstacle(['sh'])).toBeNull()
      expect(await runner.obstacle(['./src/run.sh'])).toBeNull()
      expect(await runner.obstacle(['no-such-program'])).toContain('no-such-program was not found')
      expect(await runner.obstacle([join(world.folder, 'data', 'journal')])).toContain('was not found')
    })

    it.each([
      ['.env', 'cat .env'],
      ['.env elsewhere', 'cat config/.env.local'],
      ['.env by way of a link', 'cat leads-to-env'],
      ['.ssh', 'cat .ssh/id_ed25519'],
      ['a key', 'cat certs/server.key'],
      ['credentials in a dependency', 'cat node_modules/tool/.npmrc'],
      ["Millwright's own data, by a link", 'cat leads-out'],
      ["git's folder", 'cat .git/config .git/HEAD'],
      ['everything', 'grep -rl topsecret "$PWD" /tmp /etc /dev/shm /var /root /home 2>/dev/null'],
    ])('does not show %s, nor beside a new file', async (_what, script) => {
      for (const candidates of [[], [{ path: 'new.py', text: '' }], [{ path: 'certs/new.py', text: '' }]]) {
        const { output } = await sh(script, { candidates })
        expect(output).not.toContain('topsecret')
        expect(output).not.toContain('repositoryformatversion')
        expect(output).not.toContain('refs/heads')
        if (script.startsWith('grep')) expect(output).toBe('')
      }
      // The probe would find it outside.
      expect(world.read('.env')).toContain('topsecret')
    })

    it('shows no home and no account of the machine', async () => {
      const home = process.env.HOME ?? '/root'
      expect(
        await sh(`ls -A ${home} /home /root 2>/dev/null | grep -v '^/' ; cat /etc/shadow; whoami; echo $HOME`),
      ).toMatchObject({
        output: expect.stringMatching(/nobody\n\/tmp\/home\n$/),
      })
      expect((await sh(`ls -A ${home}`)).output).not.toMatch(/\.(bashrc|profile|ssh|local)/)
    })

    it('hands on no environment and no open file', async () => {
      process.env.MILLWRIGHT_TEST_SECRET = 'topsecret'
      try {
        const { output } = await sh('env; ls -l /proc/self/fd')
        expect(output).not.toContain('topsecret')
        // The last one is the folder that is listed.
        const descriptors = [...output.matchAll(/ (\d+) -> (.*)$/gm)].filter(
          ([, , target]) => !/^\/proc\/\d+\/fd$/.test(target ?? ''),
        )
        expect(descriptors.slice(0, 3).map(([, number]) => number)).toEqual(['0', '1', '2'])
        expect(
          descriptors.slice(3).every(([, , target]) => target === '/dev/null'),
          output,
        ).toBe(true)
        expect(output).toContain('HOME=/tmp/home\n')
        expect((await sh('readlink /proc/self/fd/0')).output).toBe('/dev/null\n')
      } finally {
        delete process.env.MILLWRIGHT_TEST_SECRET
      }
    })

    it('lets nothing be written but its own temp files and the scratch folders', async () => {
      const before = hashTree(world.root)
      const targets = [
        'src/a.py',
        'src/new',
        'new',
        '/etc/x',
        '/usr/x',
        '/x',
        '/dev/x',
        '/var/x',
        '.env',
        '.git/x',
        join(data, 'x'),
      ]
      for (const target of targets) {
        expect((await sh(`(echo x > ${target}) 2>/dev/null && echo written`)).output, target).toBe('')
      }
      expect(
        (
          await sh(
            'rm -rf src node_modules 2>/dev/null; chmod 777 src/a.py 2>/dev/null; mv src/a.py src/c.py 2>/dev/null; ls src',
          )
        ).output,
      ).toContain('a.py')
      expect((await sh('echo x > /tmp/x && echo y > $HOME/y && echo z > /dev/shm/z && cat /tmp/x')).output).toBe('x\n')
      expect((await sh('cat /tmp/x 2>/dev/null')).output).toBe('')
      const scratchFolders = ['build', 'node_modules/.cache', 'src']
      expect(
        await sh(
          'ls src; echo x > build/x; echo y > node_modules/.cache/y; echo z > src/z; cat build/x node_modules/.cache/y src/z node_modules/tool/index.js',
          { scratchFolders },
        ),
      ).toMatchObject({
        output: 'x\ny\nz\nmodule.exports = 7\n',
      })
      expect(hashTree(world.root)).toBe(before)
    })

    it('has no network, not even to this machine', async () => {
      const server = createServer((socket) => socket.end('topsecret\n'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        const address = server.address()
        const port = typeof address === 'object' && address !== null ? address.port : 0
        const connect = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3'`
        expect((await execute('sh', ['-c', connect])).stdout).toBe('topsecret\n')
        expect(await sh(connect)).toMatchObject({ status: 1, output: expect.stringContaining('Connection refused') })
        expect((await sh('cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d " \\n"')).output).toBe('lo')
      } finally {
        server.close()
      }
    })

    it('has no rights, and cannot get any', async () => {
      expect((await sh('grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status | sort -u | cut -f2 | uniq')).output).toBe(
        '0000000000000000\n',
      )
      expect((await sh('grep NoNewPrivs /proc/self/status | cut -f2')).output).toBe('1\n')
      expect(
        (await sh('mount -t tmpfs none /tmp 2>/dev/null; echo $?; unshare -Ur true 2>/dev/null; echo $?')).output,
      ).not.toMatch(/^0$/m)
      // No process of the machine is in sight.
      expect(Number((await sh('ls /proc | grep -c "^[0-9]"')).output)).toBeLessThan(10)
    })

    it('ends what takes too long, with all that it started', async () => {
      const mark = `mark-${process.pid}-time`
      const outcome = await sh(`(setsid sh -c 'sleep 300; : ${mark}' &) ; sleep 300; : ${mark}`, { timeoutMs: 500 })
      expect(outcome).toMatchObject({ kind: 'stopped', why: 'time' })
      expect(carrying(mark)).toEqual([])
    })

    it('ends what a command leaves behind', async () => {
      const mark = `mark-${process.pid}-left`
      expect(await sh(`(setsid sh -c 'sleep 300; : ${mark}' &) ; echo done`)).toMatchObject({
        status: 0,
        output: 'done\n',
      })
      expect(carrying(mark)).toEqual([])
    })

    it('ends with its caller', async () => {
      const mark = `mark-${process.pid}-cancel`
      const cancel = new AbortController()
      const running = sh(`sleep 300; : ${mark}`, { signal: cancel.signal })
      const refused = expect(running).rejects.toMatchObject({ code: 'cancelled' })
      await until(() => carrying(mark).length > 0)
      cancel.abort()
      await refused
      expect(carrying(mark)).toEqual([])
    })

    it('ends with the worker, even where that is killed', async () => {
      const mark = `mark-${process.pid}-killed`
      const program = join(import.meta.dirname, '..', '..', 'test', 'support', 'command-holder-process.ts')
      const work = join(world.folder, 'killed')
      mkdirSync(work)
      const holder = spawn(process.execPath, [program, world.root, work, mark], { stdio: 'ignore' })
      // The command itself, a moment after its start: the sandbox's own processes have it in the middle of their lines.
      const isSeen = (): boolean => carrying(mark).some((pid) => commandLineOf(pid).startsWith('sh\0-c\0sleep 300;'))
      try {
        await until(isSeen)
      } finally {
        holder.kill('SIGKILL')
      }
      await until(() => carrying(`: ${mark}`).length === 0)
    })

    // Root has no limit on processes but a control group's: without one the bomb could go off outside.
    it.skipIf(!isBombBounded())('survives a fork bomb, where the kernel bounds it', async () => {
      const mark = `mark${process.pid}bomb`
      const outcome = await sh(`${mark}() { ${mark} | ${mark} & }; ${mark}; sleep 300`, { timeoutMs: 15_000 })
      expect(outcome.kind).toBe('stopped')
      expect(carrying(mark)).toEqual([])
    })

    it('ends endless output, and keeps how it began and ended', async () => {
      const outcome = await sh('echo begin; yes')
      expect(outcome).toMatchObject({ kind: 'stopped', why: 'output' })
      expect(outcome.output).toMatch(/^begin\ny\n/)
      expect(outcome.output.length).toBeLessThan(4000)
      const long = await sh('echo begin; for i in $(seq 20000); do echo "line $i"; done; echo end; exit 1')
      expect(long).toMatchObject({ kind: 'ended', status: 1 })
      expect(long.output).toMatch(/^begin\nline 1\n[\s\S]*cut[\s\S]*line 20000\nend\n$/)
      expect(long.output.length).toBeLessThan(4000)
    })

    it('ends what takes too much memory, in one process, in many, between them, or in its temp files', async () => {
      if ('missing' in bubblewrap) return
      const hidden = { workFolder: data, folders: [], hiddenFolders: [data] }
      const protectedPaths = createProtectedPaths()
      const memoryBytesMax = 200 * 1024 ** 2
      const small = createBubblewrapRunner({ ...hidden, bubblewrap, root: world.root, protectedPaths, memoryBytesMax })
      const eat = (megabytes: number) => `x = b'x' * ${megabytes}_000_000; import time; time.sleep(30)`
      const runSmall = (script: string) =>
        small.run({ commandLine: ['sh', '-c', script], candidates: [], scratchFolders: [], timeoutMs: 20_000 })
      const one = await runSmall(`/usr/bin/python3 -c "${eat(400)}"`)
      expect(one).toMatchObject({ kind: 'ended', status: 1, output: expect.stringContaining('MemoryError') })
      const many = await runSmall(`for i in 1 2 3 4; do /usr/bin/python3 -c "${eat(100)}" & done; wait`)
      expect(many).toMatchObject({ kind: 'stopped', why: 'memory', limit: 'it used more than 200 MB of memory' })
      const sharing =
        'import mmap, time; m = mmap.mmap(-1, 400_000_000); [m.write(bytes(10**6)) for _ in range(400)]; time.sleep(30)'
      expect(await runSmall(`/usr/bin/python3 -c "${sharing}"`)).toMatchObject({ kind: 'stopped', why: 'memory' })
      const full = await sh('for f in /tmp/a /tmp/b /tmp/c; do head -c 300M /dev/zero > $f || echo full; done')
      expect(full.output).toMatch(/No space left|File size limit|File too large|full/)
    })

    it('gives paths as the repository has them, and plain text', async () => {
      const { output } = await sh(`printf '\\033[31m%s/src/a.py\\033[0m: wrong\\n10%%\\r20%%\\r30%%\\n' "$PWD"`)
      expect(output).toBe('src/a.py: wrong\n30%\n')
    })

    it('brings a report back as it was written, from a run that was stopped too, and no more than that', async () => {
      const reportAs = 'report-mark'
      const write = (script: string, timeoutMs = 20_000) =>
        runner.run({
          commandLine: ['sh', '-c', script, reportAs],
          candidates: [],
          scratchFolders: [],
          timeoutMs,
          reportAs,
        })
      const color = '\u001b[31m'
      const whole = `${color}${'x'.repeat(50_000)}é${world.root}\n`
      const told = await write(
        `printf '${color}' >"$0"; printf %50000s | tr ' ' x >>"$0"; printf 'é%s\\n' "$PWD" >>"$0"`,
      )
      expect(told).toMatchObject({ kind: 'ended', status: 0, output: '', root: world.root })
      expect(told.report?.text).toBe(whole)
      expect((await write('exit 3')).report).toEqual({ bytes: 0, text: '' })
      expect(await write('echo half >"$0"; sleep 60', 500)).toMatchObject({
        kind: 'stopped',
        report: { text: 'half\n' },
      })
      const large = await write('head -c 20000000 /dev/zero >"$0"')
      expect(large.report).toEqual({ bytes: 20_000_000, text: null })
      // Nothing can take its place, and the disk behind it cannot be filled.
      const hostile =
        'rm -f "$0"; mv /etc/passwd "$0"; ln -sf /etc/hosts "$0"; echo mine >"$0"; echo x >"$(dirname "$0")/y"'
      expect((await write(hostile)).report?.text).toBe('mine\n')
      const full = await write('head -c 400M /dev/zero >"$0"; echo $?')
      expect(full.report?.bytes).toBeLessThanOrEqual(256 * 1024 ** 2)
      expect((await sh('true')).report).toBeNull()
    })

    it('opens what the owner has allowed by name', async () => {
      if ('missing' in bubblewrap) return
      const open = createBubblewrapRunner({
        bubblewrap,
        root: world.root,
        protectedPaths: createProtectedPaths(['.env']),
        workFolder: data,
        folders: [],
        hiddenFolders: [data],
      })
      const request = {
        commandLine: ['cat', '.env', 'config/.env.local'] as const,
        candidates: [],
        scratchFolders: [],
        timeoutMs: 5000,
      }
      expect((await open.run(request)).output).toBe('TOKEN=topsecret\n')
    })

    it('hides a file that came after the first look', async () => {
      world.write('src/late/.env', 'topsecret\n')
      expect((await sh('cat src/late/.env')).output).toBe('')
      linkSync(join(world.root, 'src/late/.env'), join(world.root, 'src/late/.env.two'))
      expect((await sh('cat src/late/.env.two')).output).toBe('')
    })

    it('leaves nothing in its work folder', () => {
      expect(readdirSync(data)).toEqual(['journal'])
    })
  },
)
