import type { Page } from '@playwright/test'
import { type AnsweringModel, createAnsweringModel } from './answering-model.ts'
import { type BrowserWorld, startBrowserWorld } from './browser-world.ts'
import { type OpenAiServer, startOpenAiServer } from './openai-server.ts'

/** A stack whose model is a double behind an address: what it answers to which words is the test's to say. */
export interface ChatWorld extends BrowserWorld {
  readonly server: OpenAiServer
  readonly model: AnsweringModel
  /** From now on, to a task with these words in it. */
  answer(words: string, reply: string): void
  /** Opens the page of an agent, signed in by the owner's token. */
  open(page: Page, agentId: string): Promise<void>
}

export const fenced = (path: string, text: string): string => `\`\`\`${path}\n${text}\`\`\`\n`

export async function startChatWorld(files: Record<string, string>): Promise<ChatWorld> {
  const replies = new Map<string, string>()
  const model = createAnsweringModel(({ turns }) => {
    const asked = turns.at(-1)?.text ?? ''
    // Earlier tasks are told before the one that is asked.
    const known = [...replies].map(([words, reply]) => ({ at: asked.lastIndexOf(words), reply }))
    const last = known.filter(({ at }) => at >= 0).sort((a, b) => b.at - a.at)[0]
    return last?.reply ?? 'I do not know what to say.'
  })
  const server = await startOpenAiServer({ model })
  const world = await startBrowserWorld({ files, model: `openai:${server.url}` }).catch(async (error: unknown) => {
    await server.close()
    throw error
  })
  return {
    ...world,
    server,
    model,
    answer: (words, reply) => void replies.set(words, reply),
    async open(page, agentId) {
      await page.goto(`${world.stack.pageUrl}orchestrator#/agents/${agentId}`)
      await page.getByRole('tab', { name: 'Access token' }).click()
      await page.getByLabel('Access token').and(page.locator('input')).fill(world.stack.token)
      await page.getByRole('button', { name: 'Use this token' }).click()
      await page.getByLabel(`Task for ${agentId}`).waitFor()
    },
    async stop() {
      await world.stop()
      await server.close()
    },
  }
}
