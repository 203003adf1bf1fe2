import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { createCommandRunner } from './command-runner.ts'

const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''

describe.skipIf('missing' in bubblewrap)(`createCommandRunner${title}`, () => {
  let world: TempRepository
  beforeAll(async () => {
    world = await createTempRepository({ 'src/a.py': 'x = 1\n' })
  })
  afterAll(() => world.remove())

  const create = (dataFolder: string, modelsFolder: string) =>
    createCommandRunner({
      root: world.root,
      allowProtected: [],
      dataFolder,
      hiddenFolders: [modelsFolder],
      commandFolders: [],
      isUnsandboxedAllowed: false,
      searchPath: process.env.PATH ?? '',
      bubblewrap: 'binary' in bubblewrap ? bubblewrap.binary : undefined,
    })
  const request = { candidates: [], scratchFolders: [], timeoutMs: 20_000 }

  it("hides the worker's data and models inside the repository, also where they come later", async () => {
    const runner = await create(join(world.root, 'build/data'), join(world.root, 'build/models/large'))
    world.write('build/data/states/prompt', 'topsecret\n')
    const look = ['sh', '-c', 'grep -rl topsecret .; cat src/a.py'] as const
    expect(await runner.run({ ...request, commandLine: look })).toMatchObject({ output: 'x = 1\n' })
    world.write('build/models/large/model', 'topsecret\n')
    expect(await runner.run({ ...request, commandLine: look })).toMatchObject({ output: 'x = 1\n' })
    const candidates = [{ path: 'build/new.py', text: 'new\n' }]
    expect(await runner.run({ ...request, candidates, commandLine: look })).toMatchObject({ output: 'x = 1\n' })
  })

  it('does not begin where hiding the models would hide the repository', async () => {
    await expect(create(join(world.folder, 'data'), world.root)).rejects.toMatchObject({ code: 'invalid_input' })
  })
})
