import type { Page } from '@playwright/test'
import type { BrowserWorld } from '#test/support/browser-world.ts'
import type { PageComplaints } from '../complaints.ts'

/** What a person has in front of them, and what stands behind it. */
export interface ProcedureWorld extends Pick<BrowserWorld, 'stack' | 'repository' | 'privateKey'> {
  /** With nothing in it yet, at the first step. */
  readonly page: Page
  readonly complaints: PageComplaints
}

/** One step of the user's, or one of the results that they expect. Rejects where it is not so. */
export interface ProcedureStep {
  readonly title: string
  run(world: ProcedureWorld): Promise<void>
}

/** A test procedure of the user's: its steps build on each other, on one page. */
export interface Procedure {
  readonly name: string
  readonly steps: readonly ProcedureStep[]
}
