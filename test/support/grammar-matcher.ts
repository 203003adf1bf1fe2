import { getLlama, type LlamaGrammar } from 'node-llama-cpp'

/** Tells whether the engine's own grammars take texts from the first character to the end. No model is needed. */
export interface GrammarMatcher {
  /** Throws where the grammar does not parse. */
  matches(grammar: string, text: string): Promise<boolean>
  close(): Promise<void>
}

/** Internal to the library: what it tests its grammars with. */
interface Testable {
  _testText(text: string): boolean
}

export async function createGrammarMatcher(): Promise<GrammarMatcher> {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    maxThreads: 1,
    logger: () => {},
  })
  const known = new Map<string, LlamaGrammar>()
  return {
    async matches(text, answer) {
      const grammar = known.get(text) ?? (await llama.createGrammar({ grammar: text }))
      known.set(text, grammar)
      return (grammar as unknown as Testable)._testText(answer)
    },
    close: () => llama.dispose(),
  }
}
