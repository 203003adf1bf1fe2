import { expect } from '@playwright/test'
import { executeTool, fillArguments, selectTool, signIn } from './page-words.ts'
import type { Procedure } from './procedure.ts'

const AGENT = {
  agent_id: 'file-agent',
  name: 'File Agent',
  managed_file: 'file_agent.py',
  system_prompt: 'You write one file',
}
const CONTENT = '"""Written on the page."""\n\nANSWER = 42\n'

/** The user's procedure C. */
export const files: Procedure = {
  name: 'File Operations',
  steps: [
    {
      title: 'Authenticate and create a test agent',
      async run(world) {
        const { page } = world
        await signIn(world)
        await selectTool(page, 'create_agent')
        await fillArguments(page, AGENT)
        await expect(await executeTool(page)).toContainText(AGENT.agent_id)
      },
    },
    { title: 'Select "agent_update_file"', run: ({ page }) => selectTool(page, 'agent_update_file') },
    {
      title: "Input the test agent's id",
      run: ({ page }) => fillArguments(page, { agent_id: AGENT.agent_id }),
    },
    { title: 'Provide the new content', run: ({ page }) => fillArguments(page, { content: CONTENT }) },
    {
      title: 'Execute the tool: the file is written',
      async run({ page, repository }) {
        await expect(await executeTool(page)).toContainText('ANSWER = 42')
        expect(repository.read(AGENT.managed_file)).toBe(CONTENT)
      },
    },
    { title: 'Select "get_agent_file"', run: ({ page }) => selectTool(page, 'get_agent_file') },
    { title: 'Input the same agent id', run: ({ page }) => fillArguments(page, { agent_id: AGENT.agent_id }) },
    {
      title: 'Execute: the content is the updated one',
      async run({ page }) {
        await expect(await executeTool(page)).toContainText('ANSWER = 42')
      },
    },
    {
      title: 'A file above the line limit is refused with its reason, and the file stays',
      async run({ page, repository }) {
        await selectTool(page, 'agent_update_file')
        const tooLong = Array.from({ length: 301 }, (_, line) => `LINE_${line} = ${line}`).join('\n')
        await fillArguments(page, { agent_id: AGENT.agent_id, content: `${tooLong}\n` })
        const result = await executeTool(page)
        await expect(result).toContainText('checks_failed')
        await expect(result).toContainText('300')
        expect(repository.read(AGENT.managed_file)).toBe(CONTENT)
      },
    },
    {
      title: "Somebody else's write to the file is refused",
      async run({ page, repository, complaints }) {
        await selectTool(page, 'write_file')
        await fillArguments(page, { path: AGENT.managed_file, content: 'ANSWER = 43\n' })
        await expect(await executeTool(page)).toContainText('not_owner')
        expect(repository.read(AGENT.managed_file)).toBe(CONTENT)
        expect(complaints.unexpected()).toEqual([])
      },
    },
  ],
}
