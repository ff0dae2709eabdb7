import { createHash } from 'node:crypto'
import { sortableId } from '#kernel'
import type { Clock } from '#platform/clock'
import { randomWords } from '#platform/crypto'
import { isObject, writeExact } from '#platform/json'
import type { ExactJson, ExactObject } from '#platform/json'
import type { Database, Transaction } from '#platform/postgres'
import { checkedAttributes, sentId } from './engine/attributes.ts'
import type { Kind } from './engine/kind.ts'
import { merged } from './engine/merge.ts'
import type { Query } from './engine/query.ts'
import type { Attributes, Resource, ResourceType } from './engine/resource.ts'
import { idInUse, invalidBody, readOnly, stateConflict, unknownResource } from './problems.ts'
import * as store from './store.ts'

export interface ResourcePage {
  readonly items: readonly Resource[]
  readonly total: number
}

/** What can be done with resources of any kind, by the rules of TMF630. */
export interface Resources {
  list(kind: Kind, query: Query): Promise<ResourcePage>
  /** Throws `not_found`. */
  read(kind: Kind, id: string): Promise<Resource>
  /** Throws `invalid_body`, `id_in_use`, and whatever our books object to. Repeating it under the same id changes nothing. */
  create(kind: Kind, body: ExactJson): Promise<Resource>
  /** Throws `not_found`, `read_only`, `invalid_body`, `state_conflict`. */
  patch(kind: Kind, id: string, body: ExactJson): Promise<Resource>
  /** Throws `not_found`, `read_only`. */
  remove(kind: Kind, id: string): Promise<void>
}

export function createResources({
  database,
  clock,
}: {
  readonly database: Database
  readonly clock: Clock
}): Resources {
  const random = randomWords(64)

  /** Of one that we hold ourselves; else what says that there is none. */
  const notTheirs = async ({ type, own }: Kind, id: string): Promise<Error> =>
    (await own?.find(id)) ? readOnly({ type: type.name, id }) : unknownResource({ type: type.name, id })

  const insert = async (tx: Transaction, kind: Kind, resource: Resource, fingerprint: string): Promise<Resource> => {
    const { type } = kind
    const nowMs = clock.nowMs()
    const { id } = resource
    const draft = { ...initialState(type), ...resource.attributes, ...stamped(type, nowMs) }
    const number = await store.insertResource(tx, type.name, { id, attributes: draft, fingerprint, atMs: nowMs })
    if (number === undefined) {
      if ((await store.fingerprintOf(tx, type.name, id)) !== fingerprint) throw idInUse({ type: type.name, id })
      return (await store.resourceById(tx, type.name, id)) ?? { id, attributes: draft }
    }
    if (!kind.onCreate) return { id, attributes: draft }
    // What the books answer is known before they are moved, so the row is written once more only if it says something new.
    const attributes = { ...draft, ...(await kind.onCreate(tx, draft, { id, number, nowMs })) }
    await store.updateResource(tx, type.name, { id, attributes, atMs: nowMs })
    return { id, attributes }
  }

  const addNews = ({ type }: Kind, { id }: Resource, news: ExactObject): Promise<Resource> =>
    database.transaction(async (tx) => {
      const found = await store.lockResource(tx, type.name, id)
      const after = { id, attributes: { ...found?.attributes, ...news } }
      await store.updateResource(tx, type.name, { ...after, atMs: clock.nowMs() })
      return after
    })

  return {
    async list({ type, own }, { filters, offset, limit }) {
      const ours = own ? await own.page({ filters, offset, limit }) : { items: [], total: 0 }
      const theirs = await store.resourcePage(database, type.name, {
        filters,
        offset: Math.max(0, offset - ours.total),
        limit: limit - ours.items.length,
      })
      return { items: [...ours.items, ...theirs.items], total: ours.total + theirs.total }
    },

    async read({ type, own }, id) {
      const found = (await store.resourceById(database, type.name, id)) ?? (await own?.find(id))
      if (!found) throw unknownResource({ type: type.name, id })
      return found
    },

    async create(kind, body) {
      const { type } = kind
      const { id: chosen, ...sent } = asObject(body)
      const id = sentId(chosen) ?? sortableId(clock.nowMs(), random)
      refuseGiven(type, sent)
      const attributes = checkedAttributes(type, sent)
      if (chosen !== undefined && (await kind.own?.find(id))) throw idInUse({ type: type.name, id })
      const fingerprint = createHash('sha256')
        .update(writeExact(sorted(attributes)))
        .digest('base64url')
      const made = await database.transaction((tx) => insert(tx, kind, { id, attributes }, fingerprint))
      const news = await kind.afterCreate?.(made)
      return news ? addNews(kind, made, news) : made
    },

    async patch(kind, id, body) {
      const { type } = kind
      const patch = asObject(body)
      const ours = await kind.ownPatch?.(id, patch)
      if (ours) return ours
      return database.transaction(async (tx) => {
        const found = await store.lockResource(tx, type.name, id)
        if (!found) throw await notTheirs(kind, id)
        const before = found.attributes
        const changes = withoutEcho(type, patch, found)
        refuseGiven(type, changes)
        const nowMs = clock.nowMs()
        const given = Object.fromEntries(Object.entries(before).filter(([name]) => type.given.includes(name)))
        const after = {
          ...initialState(type),
          ...checkedAttributes(type, merged(before, changes)),
          ...given,
          ...stamped(type, nowMs),
        }
        refuseJump(type, before, after)
        const ours = kind.onPatch ? await kind.onPatch(tx, { id, before, after, nowMs }) : {}
        const attributes = { ...after, ...ours }
        await store.updateResource(tx, type.name, { id, attributes, atMs: nowMs })
        return { id, attributes }
      })
    },

    async remove(kind, id) {
      const { type } = kind
      await database.transaction(async (tx) => {
        const found = await store.lockResource(tx, type.name, id)
        if (!found) throw await notTheirs(kind, id)
        await kind.onDelete?.(tx, found)
        await store.deleteResource(tx, type.name, id)
      })
    },
  }
}

function asObject(body: ExactJson): ExactObject {
  if (isObject(body)) return body
  throw invalidBody({ issues: [{ path: '', message: 'the body is not an object' }] })
}

/** Members in one order, since a client that repeats itself may write them in another. */
function sorted(value: ExactJson): ExactJson {
  if (Array.isArray(value)) return (value as readonly ExactJson[]).map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}

function refuseGiven({ given }: ResourceType, sent: ExactObject): void {
  const names = ['href', ...given].filter((name) => Object.hasOwn(sent, name))
  if (names.length > 0) throw invalidBody({ issues: names.map((path) => ({ path, message: 'is set by the server' })) })
}

/** A client that sends back what it read changes nothing by it. */
function withoutEcho(type: ResourceType, patch: ExactObject, { id, attributes }: Resource): ExactObject {
  const read: ExactObject = { ...attributes, id }
  const isEcho = (name: string, value: ExactJson): boolean =>
    (name === 'id' || type.given.includes(name)) &&
    value !== null &&
    writeExact(value) === writeExact(read[name] ?? null)
  const changes = Object.entries(patch).filter(([name, value]) => name !== 'href' && !isEcho(name, value))
  if (changes.some(([name]) => name === 'id')) throw invalidBody({ issues: [{ path: 'id', message: 'never changes' }] })
  return Object.fromEntries(changes)
}

function initialState({ states }: ResourceType): ExactObject {
  return states ? { [states.attribute]: states.initial } : {}
}

function stamped({ stamp }: ResourceType, nowMs: number): ExactObject {
  return stamp ? { [stamp]: new Date(nowMs).toISOString() } : {}
}

function refuseJump({ states }: ResourceType, before: Attributes, after: Attributes): void {
  if (!states) return
  const { attribute, next, initial } = states
  const stateOf = ({ [attribute]: state }: Attributes): string => (typeof state === 'string' ? state : initial)
  const [from, to] = [stateOf(before), stateOf(after)]
  if (from !== to && !next[from]?.includes(to)) throw stateConflict({ attribute, from, to })
}
