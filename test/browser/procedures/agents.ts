import { expect } from '@playwright/test'
import { agentRow, executeTool, fillArguments, refreshAgents, selectTool, signIn } from './page-words.ts'
import type { Procedure } from './procedure.ts'

const AGENT = {
  agent_id: 'test-agent-001',
  name: 'Test Agent',
  managed_file: 'test_file.py',
  system_prompt: 'You are a test agent',
}

/** The user's procedure B. */
export const agents: Procedure = {
  name: 'Agent Management',
  steps: [
    { title: 'Authenticate successfully', run: signIn },
    {
      title: 'Click "Refresh" in the Agent Registry panel',
      async run({ page }) {
        await refreshAgents(page)
        await expect(agentRow(page, AGENT.agent_id)).toBeHidden()
      },
    },
    { title: 'Select "create_agent" from the tool selector', run: ({ page }) => selectTool(page, 'create_agent') },
    { title: 'Fill in the agent details', run: ({ page }) => fillArguments(page, AGENT) },
    {
      title: 'Click "Execute Tool": a success message',
      async run({ page }) {
        await expect(await executeTool(page)).toContainText(AGENT.agent_id)
      },
    },
    {
      title: 'Click "Refresh": the new agent appears, with its name and file',
      async run({ page }) {
        await refreshAgents(page)
        const row = agentRow(page, AGENT.agent_id)
        await expect(row).toContainText(AGENT.name)
        await expect(row).toContainText(AGENT.managed_file)
      },
    },
    {
      title: 'A second agent for the same file is refused',
      async run({ page, complaints }) {
        await selectTool(page, 'create_agent')
        await fillArguments(page, { ...AGENT, agent_id: 'test-agent-002' })
        await expect(await executeTool(page)).toContainText('file_already_managed')
        await refreshAgents(page)
        await expect(agentRow(page, AGENT.agent_id)).toBeVisible()
        await expect(agentRow(page, 'test-agent-002')).toBeHidden()
        expect(complaints.unexpected()).toEqual([])
      },
    },
  ],
}
