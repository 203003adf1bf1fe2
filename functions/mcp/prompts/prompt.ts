import { CHAT_MESSAGE_CHARACTERS_MAX, PATH_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { ToolName } from '#shared/tools/catalogue.ts'

/** What an argument is, which decides how long it may be and what a client is offered while it is typed. */
export type ArgumentKind = 'text' | 'agent' | 'path' | 'paths'

export interface PromptArgument {
  readonly name: string
  readonly description: string
  readonly kind: ArgumentKind
  readonly required: boolean
  /** What people often write there, for a text. */
  readonly suggestions?: readonly string[]
}

export type Values = Readonly<Record<string, string>>

/** Who writes a file, as the registry knows it when the prompt is made. */
export interface Writer {
  readonly agent_id: string
  readonly managed_file: string
}

export interface PromptDeclaration {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly arguments: readonly PromptArgument[]
  /** The tools that it cannot do without: it is not shown to a client that did not ask for them. */
  readonly needs: readonly ToolName[]
  /**
   * The instruction for the assistant. `values` holds the arguments that were given; `writer` the agent that they name, or
   * that manages the file that they name, if there is one.
   */
  readonly write: (values: Values, writer: Writer | null) => string
}

export const charactersMax: Record<ArgumentKind, number> = {
  text: CHAT_MESSAGE_CHARACTERS_MAX,
  agent: 64,
  path: PATH_BYTES_MAX,
  paths: 16 * PATH_BYTES_MAX,
}
