export type { AnswerGrammar, AnswerSchema, EditsGrammar } from '#shared/protocol/answer-grammar.ts'
