import { expect } from '@playwright/test'
import { agentRow, executeTool, fillFields, outcomeOf, refreshAgents, selectTool, signIn } from './page-words.ts'
import type { Procedure } from './procedure.ts'

const AGENT_ID = 'test-agent-001'
const AGENT = {
  'Agent ID': AGENT_ID,
  Name: 'Test Agent',
  'Managed file': 'test_file.py',
  'System prompt': 'You are a test agent',
}
const SECOND_ID = 'test-agent-002'

/** The user's procedure B. */
export const agents: Procedure = {
  name: 'Agent Management',
  steps: [
    { title: 'Authenticate successfully', run: signIn },
    {
      title: 'Click "Refresh" in the Agent Registry panel',
      async run({ page }) {
        await refreshAgents(page)
        await expect(agentRow(page, AGENT_ID)).toBeHidden()
      },
    },
    { title: 'Select "create_agent" from the tool selector', run: ({ page }) => selectTool(page, 'create_agent') },
    { title: 'Fill in the agent details', run: ({ page }) => fillFields(page, 'create_agent', AGENT) },
    {
      title: 'Click "Execute Tool": a success message',
      async run({ page }) {
        const result = await executeTool(page, 'create_agent')
        await expect(outcomeOf(result)).toContainText('Success')
        await expect(result).toContainText(AGENT_ID)
      },
    },
    {
      title: 'Click "Refresh": the new agent appears, with its name and file',
      async run({ page }) {
        await refreshAgents(page)
        await expect(agentRow(page, AGENT_ID)).toContainText(AGENT.Name)
        await expect(agentRow(page, AGENT_ID)).toContainText(AGENT['Managed file'])
      },
    },
    {
      title: 'A second agent for the same file is refused',
      async run({ page, complaints }) {
        await selectTool(page, 'create_agent')
        await fillFields(page, 'create_agent', { ...AGENT, 'Agent ID': SECOND_ID })
        const result = await executeTool(page, 'create_agent')
        await expect(outcomeOf(result)).toContainText('Refused')
        await expect(result).toContainText('file_already_managed')
        await refreshAgents(page)
        await expect(agentRow(page, AGENT_ID)).toBeVisible()
        await expect(agentRow(page, SECOND_ID)).toBeHidden()
        expect(complaints.unexpected()).toEqual([])
      },
    },
  ],
}
