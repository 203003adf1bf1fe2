import { acceptedContent, inputRequired } from '@modelcontextprotocol/server'
import type { ExtensionTool } from '#functions/mcp/extension.ts'
import { declaresTasks, tasksMissing } from '#functions/mcp/tasks.ts'
import { text } from './content.ts'
import { question, run, type TaskKeeper, type WorkName } from './tasks.ts'

// Tools of the official tests that answer with a task.

function tool(name: string, properties: Record<string, { type: string }>, call: ExtensionTool['call']): ExtensionTool {
  return {
    listed: { name, description: 'Serves the official tests of tasks', inputSchema: { type: 'object', properties } },
    mayBeTask: true,
    call,
  }
}

export function createTaskTools(tasks: TaskKeeper): readonly ExtensionTool[] {
  /** A task for those who know tasks, and else the work itself. */
  const optional =
    (work: WorkName): ExtensionTool['call'] =>
    (args, context) =>
      declaresTasks(context) ? tasks.start(work, args) : run(work, args)

  /** A task, or a refusal that names what the client lacks. */
  const required =
    (work: WorkName): ExtensionTool['call'] =>
    async (args, context) => {
      if (!declaresTasks(context)) throw tasksMissing()
      return tasks.start(work, args)
    }

  return [
    tool('greet', { name: { type: 'string' } }, async ({ name }) => ({ content: [text(`Hello, ${name}!`)] })),
    tool('slow_compute', { seconds: { type: 'number' }, label: { type: 'string' } }, optional('slow_compute')),
    tool('failing_job', {}, required('failing_job')),
    tool('protocol_error_job', {}, required('protocol_error_job')),
    tool('confirm_delete', { filename: { type: 'string' } }, required('confirm_delete')),
    tool('multi_input', {}, required('multi_input')),
    tool('test_tool_with_task', {}, async (_args, context) => {
      if (!declaresTasks(context)) throw tasksMissing()
      const answer = acceptedContent<{ name?: unknown }>(context.mcpReq.inputResponses, 'user_name')
      if (answer === undefined)
        return inputRequired({ inputRequests: { user_name: question('What is your name?', 'name') } })
      return tasks.start('test_tool_with_task', { name: Object.values(answer).join(' ') })
    }),
  ]
}
