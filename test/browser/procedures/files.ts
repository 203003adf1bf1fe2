import { expect } from '@playwright/test'
import { createAgent, executeTool, fillFields, outcomeOf, selectTool, signIn } from './page-words.ts'
import type { Procedure } from './procedure.ts'

const AGENT_ID = 'file-agent'
const FILE = 'file_agent.py'
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
        await createAgent(page, { id: AGENT_ID, name: 'File Agent', file: FILE })
      },
    },
    { title: 'Select "agent_update_file"', run: ({ page }) => selectTool(page, 'agent_update_file') },
    {
      title: "Input the test agent's id",
      run: ({ page }) => fillFields(page, 'agent_update_file', { 'Agent ID': AGENT_ID }),
    },
    {
      title: 'Provide the new content',
      run: ({ page }) => fillFields(page, 'agent_update_file', { Content: CONTENT }),
    },
    {
      title: 'Execute the tool: the file is written',
      async run({ page, repository }) {
        const result = await executeTool(page, 'agent_update_file')
        await expect(outcomeOf(result)).toContainText('Success')
        await expect(result).toContainText('ANSWER = 42')
        expect(repository.read(FILE)).toBe(CONTENT)
      },
    },
    { title: 'Select "get_agent_file"', run: ({ page }) => selectTool(page, 'get_agent_file') },
    {
      title: 'Input the same agent id',
      run: ({ page }) => fillFields(page, 'get_agent_file', { 'Agent ID': AGENT_ID }),
    },
    {
      title: 'Execute: the content is the updated one',
      async run({ page }) {
        await expect(await executeTool(page, 'get_agent_file')).toContainText('ANSWER = 42')
      },
    },
    {
      title: 'A file above the line limit is refused with its reason, and the file stays',
      async run({ page, repository }) {
        await selectTool(page, 'agent_update_file')
        const tooLong = Array.from({ length: 301 }, (_, line) => `LINE_${line} = ${line}`).join('\n')
        await fillFields(page, 'agent_update_file', { 'Agent ID': AGENT_ID, Content: `${tooLong}\n` })
        const result = await executeTool(page, 'agent_update_file')
        await expect(result).toContainText('checks_failed')
        await expect(result).toContainText('300')
        expect(repository.read(FILE)).toBe(CONTENT)
      },
    },
    {
      title: "Somebody else's write to the file is refused",
      async run({ page, repository, complaints }) {
        await selectTool(page, 'write_file')
        await fillFields(page, 'write_file', { Path: FILE, Content: 'ANSWER = 43\n' })
        await expect(await executeTool(page, 'write_file')).toContainText('not_owner')
        expect(repository.read(FILE)).toBe(CONTENT)
        expect(complaints.unexpected()).toEqual([])
      },
    },
  ],
}
