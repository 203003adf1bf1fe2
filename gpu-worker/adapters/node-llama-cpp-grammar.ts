import { type Llama, type LlamaGrammar, LlamaGrammarEvaluationState, type LlamaModel, type Token } from 'node-llama-cpp'
import { AppError } from '#shared/errors.ts'
import type { ChildGrammar } from '../inference/child-protocol.ts'
import { EditStages } from '../inference/edit-stages.ts'

/** Grammars of different agents' files; each is a few kilobytes of text and what the engine made of it. */
const CACHED_MAX = 32
/** Enough for a tokenizer to tell how a token reads behind others. */
const TOKENS_BEFORE = 4
/** Of a grammar in an error, in characters. */
const SHOWN_MAX = 200

/** What holds one answer to its form. */
export interface AnswerGuide {
  /** For the next token. */
  readonly state: () => LlamaGrammarEvaluationState
  /**
   * Tells what was generated; only where the grammar of what follows depends on it. To be settled before the next token is
   * sampled, so tokens must not be predicted then.
   */
  readonly push?: (token: Token, before: readonly Token[]) => Promise<void>
}

/** Makes guides, keeping the grammars that were used last. */
export class Grammars {
  readonly #llama: Llama
  readonly #model: LlamaModel
  readonly #known = new Map<string, LlamaGrammar>()

  constructor(llama: Llama, model: LlamaModel) {
    this.#llama = llama
    this.#model = model
  }

  /** Rejects with AppError `internal` for a grammar that does not parse: it is ours. */
  async guide(grammar: ChildGrammar): Promise<AnswerGuide> {
    if (grammar.kind === 'gbnf') {
      const state = this.#begin(await this.#recall(grammar.text))
      return { state: () => state }
    }
    const stages = new EditStages(grammar)
    let state = this.#begin(await this.#create(stages.grammar))
    return {
      state: () => state,
      push: async (token, before) => {
        const text = this.#model.detokenize([token], false, before.slice(-TOKENS_BEFORE))
        if (stages.push(text)) state = this.#begin(await this.#create(stages.grammar))
      },
    }
  }

  async #recall(text: string): Promise<LlamaGrammar> {
    const known = this.#known.get(text)
    const grammar = known ?? (await this.#create(text))
    this.#known.delete(text)
    this.#known.set(text, grammar)
    const [oldest] = this.#known.keys()
    if (this.#known.size > CACHED_MAX && oldest !== undefined) this.#known.delete(oldest)
    return grammar
  }

  async #create(text: string): Promise<LlamaGrammar> {
    try {
      return await this.#llama.createGrammar({ grammar: text })
    } catch (cause) {
      throw new AppError('internal', `Cannot answer: the grammar does not parse: ${text.slice(0, SHOWN_MAX)}`, {
        cause,
      })
    }
  }

  #begin(grammar: LlamaGrammar): LlamaGrammarEvaluationState {
    return new LlamaGrammarEvaluationState({ model: this.#model, grammar })
  }
}
