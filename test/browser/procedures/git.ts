import { expect } from '@playwright/test'
import { createAgent, executeTool, fillFields, outcomeOf, selectTool, signIn } from './page-words.ts'
import type { Procedure } from './procedure.ts'

const AGENT_ID = 'git-agent'
const FILE = 'git_agent.py'
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
        await createAgent(page, { id: AGENT_ID, name: 'Git Agent', file: FILE })
        await selectTool(page, 'agent_update_file')
        await fillFields(page, 'agent_update_file', { 'Agent ID': AGENT_ID, Content: 'BRANCH = "main"\n' })
        await expect(outcomeOf(await executeTool(page, 'agent_update_file'))).toContainText('Success')
      },
    },
    { title: 'Select "git_status"', run: ({ page }) => selectTool(page, 'git_status') },
    {
      title: 'Execute: the change is shown',
      async run({ page }) {
        await expect(await executeTool(page, 'git_status')).toContainText(FILE)
      },
    },
    { title: 'Select "git_diff"', run: ({ page }) => selectTool(page, 'git_diff') },
    {
      title: 'Execute: the differences are shown',
      async run({ page }) {
        const result = await executeTool(page, 'git_diff')
        await expect(result.getByRole('insertion').filter({ hasText: 'BRANCH = "main"' })).toBeVisible()
      },
    },
    { title: 'Select "git_commit"', run: ({ page }) => selectTool(page, 'git_commit') },
    {
      title: 'Provide a commit message',
      run: ({ page }) => fillFields(page, 'git_commit', { Message: MESSAGE, 'Agent ID': AGENT_ID }),
    },
    {
      title: 'Execute the commit: its hash is that of HEAD',
      async run({ page, repository }) {
        const result = await executeTool(page, 'git_commit')
        await expect(outcomeOf(result)).toContainText('Success')
        expect(await repository.git('log', '-1', '--format=%s')).toBe(`${MESSAGE}\n`)
        const head = (await repository.git('rev-parse', 'HEAD')).trim()
        await expect(result).toContainText(head.slice(0, 7))
        expect(await repository.git('status', '--porcelain', '--', FILE)).toBe('')
      },
    },
    { title: 'Select "git_log"', run: ({ page }) => selectTool(page, 'git_log') },
    {
      title: 'Execute: the commit appears',
      async run({ page, complaints }) {
        await expect(await executeTool(page, 'git_log')).toContainText(MESSAGE)
        expect(complaints.unexpected()).toEqual([])
      },
    },
  ],
}
