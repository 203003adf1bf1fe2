import { expect } from '@playwright/test'
import { executeTool, fillArguments, selectTool, signIn } from './page-words.ts'
import type { Procedure } from './procedure.ts'

const AGENT = {
  agent_id: 'git-agent',
  name: 'Git Agent',
  managed_file: 'git_agent.py',
  system_prompt: 'You write one file',
}
const MESSAGE = 'Add the file of the git agent'

/** The user's procedure D. */
export const git: Procedure = {
  name: 'Git Integration',
  steps: [
    {
      title: 'Make a file change via an agent',
      async run(world) {
        const { page } = world
        await signIn(world)
        await selectTool(page, 'create_agent')
        await fillArguments(page, AGENT)
        await expect(await executeTool(page)).toContainText(AGENT.agent_id)
        await selectTool(page, 'agent_update_file')
        await fillArguments(page, { agent_id: AGENT.agent_id, content: 'BRANCH = "main"\n' })
        await expect(await executeTool(page)).toContainText('BRANCH')
      },
    },
    { title: 'Select "git_status"', run: ({ page }) => selectTool(page, 'git_status') },
    {
      title: 'Execute: the change is shown',
      async run({ page }) {
        await expect(await executeTool(page)).toContainText(AGENT.managed_file)
      },
    },
    { title: 'Select "git_diff"', run: ({ page }) => selectTool(page, 'git_diff') },
    {
      title: 'Execute: the differences are shown',
      async run({ page }) {
        await expect(await executeTool(page)).toContainText('+BRANCH = "main"')
      },
    },
    { title: 'Select "git_commit"', run: ({ page }) => selectTool(page, 'git_commit') },
    {
      title: 'Provide a commit message',
      run: ({ page }) => fillArguments(page, { message: MESSAGE, agent_id: AGENT.agent_id }),
    },
    {
      title: 'Execute the commit: its hash is that of HEAD',
      async run({ page, repository }) {
        const result = await executeTool(page)
        await expect.poll(() => repository.git('log', '-1', '--format=%s')).toBe(`${MESSAGE}\n`)
        const head = (await repository.git('rev-parse', 'HEAD')).trim()
        await expect(result).toContainText(head.slice(0, 7))
        expect(await repository.git('status', '--porcelain', '--', AGENT.managed_file)).toBe('')
      },
    },
    { title: 'Select "git_log"', run: ({ page }) => selectTool(page, 'git_log') },
    {
      title: 'Execute: the commit appears',
      async run({ page, complaints }) {
        await expect(await executeTool(page)).toContainText(MESSAGE)
        expect(complaints.unexpected()).toEqual([])
      },
    },
  ],
}
