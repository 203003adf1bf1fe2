import type { SourceLanguage } from '../ports/source-parser.ts'

/** A node of a syntax tree that counts. */
export type Role =
  /** A function with figures of its own. Inside another it also adds to that one's cognitive figure, one level deeper. */
  | 'function'
  /** A lambda: counted where it stands, one level deeper for the cognitive figure. */
  | 'lambda'
  /** `if`: +1 cyclomatic; cognitive 1 + nesting, or 1 as an `else if`. */
  | 'if'
  /** `elif`, where the grammar has a node for it: +1 and +1. */
  | 'elif'
  /** The branch of an `if` or a loop that holds no further `if`: cognitive +1. */
  | 'else'
  | 'ternary'
  | 'loop'
  | 'catch'
  /** The whole `switch`: cognitive 1 + nesting. Its cases make the cyclomatic figure. */
  | 'switch'
  /** +1 cyclomatic unless it is the default case. */
  | 'case'
  /** +1 cyclomatic only: `assert`, the parts of a comprehension. */
  | 'branch'
  /** A binary expression that may be a logical one. */
  | 'logical'
  /** `goto`, and `break` or `continue` with a label: cognitive +1. */
  | 'jump'
  | 'call'

export interface ComplexityRules {
  readonly roles: ReadonlyMap<string, Role>
  /** Operators that branch: +1 cyclomatic each. Cognitive counts a run of equal ones once, and leaves `??` out. */
  readonly operators: ReadonlySet<string>
  /**
   * An outer function that only holds others (a module, a component) adds nothing of theirs to its own cognitive figure,
   * as SonarSource's white paper has it for JavaScript.
   */
  readonly declarativeOuter: boolean
  /** A method calls itself by its bare name (Java, C++), not only through `self` or `this`. */
  readonly bareMethodCalls: boolean
  /** A function that only holds another and returns it deepens nothing: SonarSource's white paper, for Python's decorators. */
  readonly wrappers: boolean
}

const roles = (table: Partial<Record<Role, string>>): ReadonlyMap<string, Role> =>
  new Map(
    Object.entries(table).flatMap(([role, types]) =>
      types.split(' ').map((type): [string, Role] => [type, role as Role]),
    ),
  )

const cOperators = new Set(['&&', '||', 'and', 'or'])
const javascript: ComplexityRules = {
  roles: roles({
    function:
      'function_declaration function_expression arrow_function method_definition generator_function generator_function_declaration',
    if: 'if_statement',
    else: 'else_clause',
    ternary: 'ternary_expression',
    loop: 'for_statement for_in_statement while_statement do_statement',
    catch: 'catch_clause',
    switch: 'switch_statement',
    case: 'switch_case',
    logical: 'binary_expression',
    jump: 'break_statement continue_statement',
    call: 'call_expression',
  }),
  operators: new Set(['&&', '||', '??']),
  declarativeOuter: true,
  bareMethodCalls: false,
  wrappers: false,
}
const c: ComplexityRules = {
  roles: roles({
    function: 'function_definition',
    lambda: 'lambda_expression',
    if: 'if_statement',
    else: 'else_clause',
    ternary: 'conditional_expression',
    loop: 'for_statement for_range_loop while_statement do_statement',
    catch: 'catch_clause',
    switch: 'switch_statement',
    case: 'case_statement',
    logical: 'binary_expression',
    jump: 'goto_statement',
    call: 'call_expression',
  }),
  operators: cOperators,
  declarativeOuter: false,
  bareMethodCalls: true,
  wrappers: false,
}

/** Node types of each grammar. A language that is not here has no functions. */
export const complexityRules: Partial<Record<SourceLanguage, ComplexityRules>> = {
  python: {
    roles: roles({
      function: 'function_definition',
      lambda: 'lambda',
      if: 'if_statement',
      elif: 'elif_clause',
      else: 'else_clause',
      ternary: 'conditional_expression',
      loop: 'for_statement while_statement',
      catch: 'except_clause except_group_clause',
      switch: 'match_statement',
      case: 'case_clause',
      branch: 'assert_statement for_in_clause if_clause',
      logical: 'boolean_operator',
      call: 'call',
    }),
    operators: new Set(['and', 'or']),
    declarativeOuter: false,
    bareMethodCalls: false,
    wrappers: true,
  },
  javascript,
  typescript: javascript,
  tsx: javascript,
  go: {
    roles: roles({
      function: 'function_declaration method_declaration',
      lambda: 'func_literal',
      if: 'if_statement',
      loop: 'for_statement',
      switch: 'expression_switch_statement type_switch_statement select_statement',
      case: 'expression_case type_case communication_case',
      logical: 'binary_expression',
      jump: 'goto_statement break_statement continue_statement',
      call: 'call_expression',
    }),
    operators: new Set(['&&', '||']),
    declarativeOuter: false,
    bareMethodCalls: false,
    wrappers: false,
  },
  rust: {
    roles: roles({
      function: 'function_item',
      lambda: 'closure_expression',
      if: 'if_expression',
      else: 'else_clause',
      loop: 'for_expression while_expression loop_expression',
      switch: 'match_expression',
      case: 'match_arm',
      branch: 'let_declaration',
      logical: 'binary_expression let_chain',
      jump: 'break_expression continue_expression',
      call: 'call_expression',
    }),
    operators: new Set(['&&', '||']),
    declarativeOuter: false,
    bareMethodCalls: false,
    wrappers: false,
  },
  java: {
    roles: roles({
      function: 'method_declaration constructor_declaration compact_constructor_declaration',
      lambda: 'lambda_expression',
      if: 'if_statement',
      ternary: 'ternary_expression',
      loop: 'for_statement enhanced_for_statement while_statement do_statement',
      catch: 'catch_clause',
      switch: 'switch_expression switch_statement',
      case: 'switch_label',
      logical: 'binary_expression',
      jump: 'break_statement continue_statement',
      call: 'method_invocation',
    }),
    operators: new Set(['&&', '||']),
    declarativeOuter: false,
    bareMethodCalls: true,
    wrappers: false,
  },
  c,
  cpp: c,
}
