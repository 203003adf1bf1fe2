import type { ChatTurn } from '../ports/language-model.ts'
import type { Template } from './template.ts'

// What the model is told when it makes a template. Short: the models that read it are small.

const DRAFT_RULES = `You design a code template. Answer with one JSON object, no code:
- name: a few words with dashes; description: one sentence
- variables: what differs from use to use. type is string (free text), identifier (a name in code), integer, boolean, choice (with choices), list (of texts) or objects (a list of objects with fields). Give an example for each
- outputs: the files. path is a Liquid template such as src/{{ name | snake_case }}.py; purpose says what the file holds
- rules: checks that the files must pass, or none`

export const draftPrompt = (description: string): ChatTurn[] => [
  { role: 'system', text: DRAFT_RULES },
  { role: 'user', text: `### Task\nDesign a template for this: ${description}` },
]

const BODY_RULES = `You write one file of a code template in Liquid. Answer with the whole file in one fenced code block.
- {{ x | filter }} prints a variable: names with snake_case, pascal_case, camel_case or constant_case; text with py_string (a Python string with its quotes), docstring (inside """ """), ts_string (a TypeScript string with its quotes), jsdoc (inside /** */), comment (one line), md (Markdown)
- {% for item in items %} … {% endfor %}, {% if x %} … {% else %} … {% endif %}, {{ item.field | filter }}
- Text is never printed without a filter, and py_string and ts_string bring their own quotes`

export function bodyPrompt({ description, variables, outputs }: Template, index: number, purpose: string): ChatTurn[] {
  const kinds = Object.entries(variables).map(([name, kind]) => {
    const fields = kind.type === 'objects' ? ` with ${Object.keys(kind.fields).join(', ')}` : ''
    return `- ${name}: ${kind.type}${fields}${kind.description === undefined ? '' : ` - ${kind.description}`}`
  })
  const sections = [
    `### Template\n${description}`,
    `### Variables\n${kinds.join('\n')}`,
    `### Task\nWrite the Liquid file for \`${outputs[index]?.path}\`: ${purpose}`,
  ]
  return [
    { role: 'system', text: BODY_RULES },
    { role: 'user', text: sections.join('\n\n') },
  ]
}

/** A turn that says what was wrong. */
export const againPrompt = (
  first: readonly ChatTurn[],
  reply: string,
  problems: readonly string[],
  again: string,
): ChatTurn[] => [
  ...first,
  { role: 'assistant', text: reply },
  { role: 'user', text: `### Checks failed\n${problems.map((each) => `- ${each}`).join('\n')}\n\n### Task\n${again}` },
]
