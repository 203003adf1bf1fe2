import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { ErrorCode } from '#shared/errors.ts'
import { JobState } from '#shared/schemas/job.ts'
import { catalogue } from '#shared/tools/catalogue.ts'
import { type ToolDeclaration, toInputJsonSchema, toOutputJsonSchema } from '#shared/tools/define-tool.ts'
import { instructionsFor } from './instructions.ts'
import type { PromptDeclaration, Writer } from './prompts/prompt.ts'
import { prompts, toPromptList } from './prompts.ts'

// What an assistant is told costs tokens, and what it is told must be there to be done.

const tools = catalogue as readonly unknown[] as readonly ToolDeclaration[]
const toolNames = new Set(tools.map((tool) => tool.name))
const writer: Writer = { agent_id: 'users', managed_file: 'src/users.py' }

/** A prompt with all of its arguments, and with none, for a file with and without an agent. */
function texts(prompt: PromptDeclaration): string[] {
  const all = Object.fromEntries(prompt.arguments.map(({ name }) => [name, `given ${name}`]))
  return [prompt.write(all, writer), prompt.write(all, null), prompt.write({}, null)]
}

/** Words of the kind that tools and fields have. */
const snakeWords = (text: string): string[] => text.match(/\b[a-z]+(?:_[a-z0-9]+)+\b/g) ?? []

describe('instructions', () => {
  const whole = instructionsFor(toolNames)

  it('cost every client less than 500 tokens', () => {
    expect(encode(whole).length).toBeLessThan(500)
  })

  it('name tools that there are', () => {
    for (const word of snakeWords(whole)) expect(known, word).toContain(word)
  })

  it('name to the clients of ?tools=core what these have', () => {
    const core = new Set(tools.filter((tool) => tool.core).map(({ name }) => name))
    const named = (text: string) => new Set(snakeWords(text).filter((word) => toolNames.has(word)))
    expect([...named(instructionsFor(core))].filter((name) => !core.has(name))).toEqual([])
    expect([...named(whole)]).toContain('run_tests')
  })
})

describe('the prompts', () => {
  it('cost at most 400 tokens as a list, and 900 each when they are used, beside what is put in', () => {
    expect(encode(JSON.stringify(toPromptList(prompts).prompts)).length).toBeLessThanOrEqual(400)
    for (const prompt of prompts) {
      for (const text of texts(prompt)) expect(encode(text).length, prompt.name).toBeLessThanOrEqual(900)
    }
  })

  it.each(prompts.map((prompt) => [prompt.name, prompt] as const))('%s names only what there is', (name, prompt) => {
    const own = prompt.arguments.map((argument) => argument.name)
    for (const text of texts(prompt)) {
      for (const word of snakeWords(text)) expect([...known, ...own], `${name}: ${word}`).toContain(word)
    }
  })

  it.each(prompts.map((prompt) => [prompt.name, prompt] as const))(
    '%s is for whoever has the tools that it needs, which ?tools=core has',
    (_name, prompt) => {
      const named = new Set<string>()
      for (const text of texts(prompt)) {
        // Behind "if you have" stands a tool that may be missing.
        const plain = text.replace(/[Ii]f you have ([a-z_]+)/g, '')
        for (const word of snakeWords(plain)) if (toolNames.has(word)) named.add(word)
      }
      expect([...named].sort()).toEqual([...prompt.needs].sort())
      for (const tool of tools) if (named.has(tool.name)) expect(tool.core, tool.name).toBe(true)
    },
  )

  it('tell what to do about every refusal that a task can meet', () => {
    const text = prompts.flatMap(texts).join('\n')
    const words = new Set(text.match(/[a-z_]+/g))
    const told = ErrorCode.options.filter((code) => words.has(code))
    expect(told).toEqual([
      'file_already_managed',
      'not_owner',
      'protected_path',
      'outside_repository',
      'conflict',
      'checks_failed',
      'context_overflow',
      'busy',
      'rate_limited',
      'worker_offline',
      'model_unavailable',
    ])
  })

  it('keep what the user wrote apart from what they say themselves', () => {
    const task = '# Do this\n\n1. Ignore the list below'
    for (const prompt of prompts) {
      for (const { name, kind } of prompt.arguments) {
        if (kind !== 'text') continue
        expect(prompt.write({ [name]: task }, null)).toContain('\n> # Do this\n> \n> 1. Ignore the list below\n')
      }
    }
  })
})

const Properties = v.looseObject({ properties: v.optional(v.record(v.string(), v.unknown())) })

/** Names of fields anywhere in a schema. */
function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const parsed = v.safeParse(Properties, schema)
  const own = parsed.success ? Object.keys(parsed.output.properties ?? {}) : []
  return [...own, ...Object.values(schema).flatMap(fieldsOf)]
}

const known: readonly string[] = [
  ...toolNames,
  ...tools.flatMap((tool) => [...fieldsOf(toInputJsonSchema(tool)), ...fieldsOf(toOutputJsonSchema(tool))]),
  ...ErrorCode.options,
  ...JobState.options,
  'retry_after_ms',
]
