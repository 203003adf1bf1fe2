import type { Statement } from '#shared/protocol/signature.ts'

/** The edge's own key. */
export interface Signer {
  /** The text of `SIGNATURE_HEADER` for this statement, made now. */
  sign(statement: Statement): Promise<string>
}
