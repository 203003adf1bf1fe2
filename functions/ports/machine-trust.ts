import type { Machine, Statement } from '#shared/protocol/signature.ts'

/** What came with a message to prove whose it is, as the headers had it. */
export interface MachineHeaders {
  readonly signature: string | undefined
  readonly certificate: string | undefined
}

export interface MachineProof {
  readonly machine: Machine
  /** When the signature was made, by the machine's clock. */
  readonly timeMs: number
}

/** Tells what machines have signed, by the certificates that this edge has given them. */
export interface MachineTrust {
  /**
   * The machine that made this statement. Rejects with `forbidden` where none of ours has: unsigned, changed, signed for
   * something else, or with a key that this edge has not certified. Does not know which machines were revoked since.
   */
  verify(what: string, statement: Statement, headers: MachineHeaders): Promise<MachineProof>
}
