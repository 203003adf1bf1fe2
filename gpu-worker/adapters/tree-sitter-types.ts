import type { Node } from 'web-tree-sitter'
import type { Definition, SourceLanguage } from '../ports/source-parser.ts'
import type { Place } from './tree-sitter-definition-rules.ts'

type Untyped = Pick<Definition, 'untypedParameters' | 'isReturnUntyped'>

/** A name may be as long as the file. */
const NAME_CHARACTERS_MAX = 80
const shortened = (name: string): string => name.slice(0, NAME_CHARACTERS_MAX)

const typed: Untyped = { untypedParameters: [], isReturnUntyped: false }

/**
 * The types that a function leaves to be guessed.
 *
 * Python: parameters without an annotation, but for `self` and `cls`, and a missing return annotation, but for
 * constructors. TypeScript: parameters of functions and methods with neither a type nor a default from which it follows;
 * what a function returns, and the parameters of a function that is assigned or passed, the compiler infers. Elsewhere
 * types cannot be left out, or cannot be written.
 */
export function untypedParts({ node, outer }: Place, language: SourceLanguage): Untyped {
  if (language === 'python') return node.type === 'function_definition' ? untypedPython(node, outer) : typed
  if (language !== 'typescript' && language !== 'tsx') return typed
  // A method of an object literal has the types of what the object is used as.
  if (!scriptFunctions.has(node.type) || outer?.node.type === 'object') return typed
  return { untypedParameters: untypedScript(node), isReturnUntyped: false }
}

function untypedPython(node: Node, outer: Place | null): Untyped {
  const parameters = node.childForFieldName('parameters')?.namedChildren ?? []
  const isMethod = isInClass(outer)
  const names = parameters.flatMap((parameter, index) => {
    const name = pythonName(parameter)
    return name === null || (isMethod && index === 0 && (name === 'self' || name === 'cls')) ? [] : [shortened(name)]
  })
  const name = node.childForFieldName('name')?.text ?? ''
  const isReturnUntyped = node.childForFieldName('return_type') === null && !(isMethod && constructors.has(name))
  return { untypedParameters: names, isReturnUntyped }
}

/** Their return type says nothing: it is None, or the class. */
const constructors: ReadonlySet<string> = new Set(['__init__', '__new__', '__init_subclass__', '__post_init__'])

/** The name of a parameter without an annotation; null for one that has it, and for what is no parameter. */
function pythonName(parameter: Node): string | null {
  if (parameter.type === 'identifier') return parameter.text
  if (parameter.type === 'default_parameter') return parameter.childForFieldName('name')?.text ?? null
  if (parameter.type === 'list_splat_pattern' || parameter.type === 'dictionary_splat_pattern') return parameter.text
  return null
}

/** Whether a definition stands right in a class, decorated or not. */
function isInClass(outer: Place | null): boolean {
  const block = outer?.node.type === 'decorated_definition' ? outer.outer : outer
  return block?.node.type === 'block' && block.outer?.node.type === 'class_definition'
}

const scriptFunctions = new Set([
  'function_declaration',
  'generator_function_declaration',
  'function_signature',
  'method_definition',
  'abstract_method_signature',
])

function untypedScript(node: Node): string[] {
  const parameters = node.childForFieldName('parameters')?.namedChildren ?? []
  return parameters.flatMap((parameter) => {
    if (parameter.type !== 'required_parameter' && parameter.type !== 'optional_parameter') return []
    const isTyped = parameter.childForFieldName('type') !== null || parameter.childForFieldName('value') !== null
    return isTyped ? [] : [shortened(parameter.childForFieldName('pattern')?.text ?? '')]
  })
}
