import type { SourceParser } from '../ports/source-parser.ts'
import { createTreeSitterParser, type TreeSitterParserOptions } from './tree-sitter-parser.ts'

/**
 * Several parsers as one, for work on many files. Each has a thread of its own, started when the ones before it are busy; a
 * text goes to the one with the least to do.
 */
export function createTreeSitterPool(threads: number, options?: TreeSitterParserOptions): SourceParser {
  const members = Array.from({ length: Math.max(1, threads) }, () => ({
    parser: createTreeSitterParser(options),
    underWay: 0,
  }))
  async function give<T>(work: (parser: SourceParser) => Promise<T>): Promise<T> {
    const member = members.reduce((least, each) => (each.underWay < least.underWay ? each : least))
    member.underWay++
    try {
      return await work(member.parser)
    } finally {
      member.underWay--
    }
  }
  return {
    parse: (language, text, signal) => give((parser) => parser.parse(language, text, signal)),
    analyze: (language, text, signal) => give((parser) => parser.analyze(language, text, signal)),
    tokenize: (language, text, signal) => give((parser) => parser.tokenize(language, text, signal)),
    readCode: (language, text, signal) => give((parser) => parser.readCode(language, text, signal)),
    mutate: (language, text, signal) => give((parser) => parser.mutate(language, text, signal)),
    close: async () => {
      await Promise.all(members.map(({ parser }) => parser.close()))
    },
  }
}
