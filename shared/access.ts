import * as v from 'valibot'

/** What a token lets its holder do. Each contains those before it: who may write may read. */
export const scopes = ['read', 'write', 'admin'] as const
export const Scope = v.picklist(scopes)
export type Scope = v.InferOutput<typeof Scope>

/** What a person may do in a workspace, whatever token they hold. */
export const roles = ['reader', 'writer', 'admin'] as const
export const Role = v.picklist(roles)
export type Role = v.InferOutput<typeof Role>

const scopeOfRole: Record<Role, Scope> = { reader: 'read', writer: 'write', admin: 'admin' }

/** A scope with all that it contains, least first. */
export const withContained = (scope: Scope): readonly Scope[] => scopes.slice(0, scopes.indexOf(scope) + 1)

export const scopesOfRole = (role: Role): readonly Scope[] => withContained(scopeOfRole[role])

/** Several scopes with all that they contain, least first. */
export const expandScopes = (granted: readonly Scope[]): readonly Scope[] =>
  scopes.slice(0, Math.max(0, ...granted.map((scope) => scopes.indexOf(scope) + 1)))

/** What both a token and its holder's role allow, least first. */
export const allowedScopes = (token: readonly Scope[], role: Role): readonly Scope[] =>
  expandScopes(token).filter((scope) => scopesOfRole(role).includes(scope))

/** The scopes that a text of words names, in order; words that name none are left out. */
export const parseScopes = (text: string): readonly Scope[] =>
  scopes.filter((scope) => text.split(/\s+/).includes(scope))

/** The scope that a tool needs, by what it says of itself. */
export const scopeOfTool = (annotations: { readonly readOnlyHint: boolean }): Scope =>
  annotations.readOnlyHint ? 'read' : 'write'
