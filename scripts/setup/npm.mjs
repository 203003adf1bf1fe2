import { existsSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'

/**
 * How to run npm with a given Node: the npm that started us, else the one beside the running Node, else the PATH's.
 * @param {string} node path of the Node that shall run npm
 * @returns {{ command: string, args: string[] }}
 */
export function npmCommand(node) {
  const candidates = [
    process.env.npm_execpath,
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  for (const file of candidates) {
    // Other package managers set npm_execpath as well.
    if (file !== undefined && basename(file) === 'npm-cli.js' && existsSync(file))
      return { command: node, args: [file] }
  }
  return { command: 'npm', args: [] }
}

/**
 * The environment for an npm of our own. What an outer npm left there (its project, its script) would be taken for
 * settings of this one; NODE_ENV=production would leave out what the checks and tests need.
 * @param {string} node
 * @returns {NodeJS.ProcessEnv}
 */
export function npmEnvironment(node) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^npm_(package|lifecycle)_|^npm_config_(local_prefix|workspaces?|global|prefix|omit|include)$/i.test(name),
    ),
  )
  delete env.NODE_ENV
  return { ...env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
}
