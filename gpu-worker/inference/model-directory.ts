import type { ModelMember } from '#shared/protocol/model-group.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { ModelInfo } from '#shared/schemas/worker.ts'
import type { ModelGroup } from '../ports/model-group.ts'

/** A model at a member. */
export interface ServedModel {
  readonly member: string
  readonly host: string
  readonly info: ModelInfo
}

/** Who serves which model, as far as it was heard of late. */
export interface ModelDirectory {
  names(): string[]
  servedBy(model: string): ServedModel[]
  /** Asks who is there. What does not answer is forgotten. */
  refresh(): Promise<void>
  /** What a member said of a model in passing; null: that it has none of this name. */
  note(member: string, model: string, info: ModelInfo | null): void
  stop(): void
}

/** So often who is there is asked again. A worker that starts is in `get_server_info` that much later. */
const REFRESH_MS = 2000
/** A member that misses one question may have been slow; one that misses two is gone. */
const MISSES_MAX = 1

/** `self` is left out: what this worker has it does not ask the group for. */
export function createModelDirectory(group: ModelGroup, self: string): ModelDirectory {
  let members = new Map<string, { readonly who: ModelMember; readonly misses: number }>()
  let refreshing: Promise<void> | null = null
  let following: Promise<void> | null = null

  async function look(): Promise<void> {
    const found = await group.find()
    const now = new Map(found.map((who) => [who.member, { who, misses: 0 }]))
    now.delete(self)
    // Where nobody answers at all, the server has said that nobody listens.
    if (found.length > 0) {
      for (const [id, { who, misses }] of members) {
        if (!now.has(id) && misses < MISSES_MAX) now.set(id, { who, misses: misses + 1 })
      }
    }
    members = now
  }

  const start = (): Promise<void> => {
    refreshing = look().finally(() => {
      refreshing = null
    })
    return refreshing
  }
  /** A look that is under way may have begun before what the caller knows of: another one follows it. */
  const refresh = (): Promise<void> => {
    if (refreshing === null) return start()
    following ??= refreshing.then(() => {
      following = null
      return start()
    })
    return following
  }
  const timer = setInterval(() => {
    if (refreshing === null) void start()
  }, REFRESH_MS)
  void start()
  const all = () => [...members.values()].map(({ who }) => who)

  return {
    names: () => [...new Set(all().flatMap(({ models }) => models.map(({ name }) => name)))].sort(),
    servedBy: (model) =>
      all().flatMap(({ member, host, models }) =>
        models.filter(({ name }) => name === model).map((info) => ({ member, host, info })),
      ),
    refresh,
    note(member, model, info) {
      if (member === self) return
      const who = members.get(member)?.who ?? { v: WIRE_VERSION, member, host: member, models: [] }
      const models = who.models.filter(({ name }) => name !== model)
      if (info !== null) models.push(info)
      members.set(member, { who: { ...who, models }, misses: 0 })
    },
    stop: () => clearInterval(timer),
  }
}
