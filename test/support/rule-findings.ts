import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import { parseSettings } from '#gpu-worker/gates/settings.ts'
import type { CheckRequest } from '#gpu-worker/ports/file-checker.ts'
import type { Checks } from '#shared/schemas/check.ts'

export interface RuleFindings {
  check(request: Partial<CheckRequest> & Pick<CheckRequest, 'path' | 'text'>, checks?: object): Promise<Checks>
  /** What one rule finds: `severity line: message`, the line where there is one. */
  find(
    request: Partial<CheckRequest> & Pick<CheckRequest, 'path' | 'text'>,
    checks?: object,
  ): Promise<{ severity: string; line: number | null; message: string }[]>
  close(): Promise<void>
}

/** All gates with the real parser, under the `checks` of a `millwright.json`; `find` shows what one rule says. */
export function createRuleFindings(rule: string): RuleFindings {
  const parser = createTreeSitterParser()
  const check: RuleFindings['check'] = async (request, checks = {}) => {
    const state = { settings: parseSettings(JSON.stringify({ checks })), fault: null }
    const checker = createFileChecker({ parser, settings: async () => state })
    return (await checker.check({ before: null, ...request })).checks
  }
  return {
    check,
    async find(request, checks) {
      const { violations } = await check(request, checks)
      return violations
        .filter((each) => each.rule === rule)
        .map(({ severity, line, message }) => ({ severity, line, message }))
    },
    close: () => parser.close(),
  }
}
