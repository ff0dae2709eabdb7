import { isDeepStrictEqual } from 'node:util'
import type { ApiKey, KeyView, Limits, Tenant } from '#contract'
import { sortableId } from '#kernel'
import type { Clock } from '#platform/clock'
import { randomToken, randomWords } from '#platform/crypto'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import { newKeyText } from './key-text.ts'
import { keyStatus, sameLimits } from './model.ts'
import type { KeyRow, Project, SessionView } from './model.ts'
import { createSignIn } from './sign-in.ts'
import type { SignIn } from './sign-in.ts'
import { accountExists, expiryInThePast, tooManyKeys, unknownKey, unknownTenant } from './problems.ts'
import * as store from './store.ts'
import { hashPassword, verifyPassword } from './password.ts'

export type ApplyAction = 'created' | 'updated' | 'unchanged'

export interface MadeKey {
  readonly id: string
  readonly name: string
  readonly tenant: string
  /** The key's text; told here and nowhere else ever again. */
  readonly secret: string
}

export interface Identity extends SignIn {
  /** What gateways need, and the revision it had at least. Read the revision first: content may be newer, never older. */
  directory(db: Queryable): Promise<{
    readonly tenants: readonly Tenant[]
    readonly keys: readonly (ApiKey & { readonly project: string | null })[]
  }>
  revision(db: Queryable): Promise<number>
  /** Has other changes of tenants and keys wait for this transaction. Take it before `putTenant` and `putKey`. */
  lock(tx: Transaction): Promise<void>
  tenants(only?: string): Promise<readonly Tenant[]>
  /** Within a caller's transaction. */
  tenant(db: Queryable, id: string): Promise<Tenant | undefined>
  /** Keys of one tenant or of all, newest first. */
  keys(tenant?: string): Promise<readonly KeyView[]>
  /** Whose each key is, by its id, of all that ever were. */
  keyOwners(db: Queryable): Promise<ReadonlyMap<string, string>>
  /** Declares a tenant within the caller's transaction. */
  putTenant(tx: Transaction, tenant: Tenant): Promise<ApplyAction>
  /** What being behind with payments makes of a tenant, beside what was declared: the stricter of the two holds. */
  setArrears(tx: Transaction, tenant: string, arrears: 'clear' | 'restricted' | 'suspended'): Promise<void>
  projects(db: Queryable): Promise<readonly Project[]>
  /** Declares a project of a tenant within the caller's transaction. */
  putProject(tx: Transaction, project: Project): Promise<ApplyAction>
  /** Declares a key within the caller's transaction; `secret` is present if it was made now. The key's tenant never changes. */
  putKey(
    tx: Transaction,
    key: {
      readonly id: string
      readonly tenant: string
      readonly name: string
      readonly project: string | null
      readonly limits: Limits
      readonly expiresAtMs: number | null
    },
  ): Promise<{ readonly action: ApplyAction; readonly made?: MadeKey }>
  /** Throws `unknown_tenant`, `expiry_in_the_past`, and `too_many_keys` from 1,000 keys that work on. */
  createKey(key: {
    readonly tenant: string
    readonly name: string
    readonly limits: Limits
    readonly expiresAtMs: number | null
  }): Promise<MadeKey>
  /** Revokes for ever; repeating it changes nothing. With `tenant`, keys of others do not exist. Throws `unknown_key`. */
  revokeKey(id: string, tenant?: string): Promise<KeyView>
  /** A short-lived key for the console's playground. Throws `unknown_tenant`, and `too_many_keys` from 20 that live on. */
  createPlaygroundKey(tenant: string): Promise<{ readonly secret: string; readonly expiresAtMs: number }>
  /** Makes the account of an operator, or gives an existing one this password, which ends its sessions if it is another. */
  ensureOperator(account: { readonly email: string; readonly password: string }): Promise<void>
  /** Makes an account with a random password, which is told once. Throws `account_exists`, `unknown_tenant`. */
  createAccount(
    account: Omit<SessionView, 'supplier'> & Partial<Pick<SessionView, 'supplier'>>,
  ): Promise<{ readonly email: string; readonly password: string }>
}

/** Every key takes room in each gateway's memory; what one tenant may take is bounded. A file may declare more. */
const MOST_LIVE_KEYS = 1_000
const MOST_LIVE_PLAYGROUND_KEYS = 20
/** Gateways hear of keys that ended for this long, and of this many per tenant. */
const ENDED_KEYS_TOLD_MS = 24 * 3_600_000
const MOST_ENDED_KEYS_TOLD = 1_000
const PLAYGROUND_LIFETIME_MS = 15 * 60_000
/** One person trying things out, not a way around a key's limits. */
const PLAYGROUND_LIMITS: Limits = { requestsPerMinute: 60, maxConcurrency: 4 }

export function createIdentity({ database, clock }: { readonly database: Database; readonly clock: Clock }): Identity {
  const now = () => new Date(clock.nowMs())
  const random = randomWords(64)

  const view = (key: KeyRow): KeyView => ({
    id: key.id,
    tenant: key.tenant,
    name: key.name,
    preview: key.preview,
    status: keyStatus(key, clock.nowMs()),
    createdAtMs: key.createdAtMs,
    expiresAtMs: key.expiresAtMs,
    limits: key.limits,
  })

  const make = async (
    tx: Transaction,
    key: Omit<store.KeyInsert, 'hash' | 'preview' | 'createdAt'>,
  ): Promise<MadeKey> => {
    const { secret, hash, preview } = newKeyText()
    await store.insertKey(tx, { ...key, hash, preview, createdAt: now() })
    await store.bumpRevision(tx)
    return { id: key.id, name: key.name, tenant: key.tenant, secret }
  }

  const requireRoom = async (tx: Transaction, tenant: string, purpose: KeyRow['purpose']): Promise<void> => {
    const limit = purpose === 'api' ? MOST_LIVE_KEYS : MOST_LIVE_PLAYGROUND_KEYS
    if ((await store.countLiveKeys(tx, { tenant, purpose }, now())) >= limit)
      throw tooManyKeys({ tenant, kind: purpose === 'api' ? 'API' : 'playground', limit })
  }

  const requireTenant = async (db: Queryable, id: string): Promise<void> => {
    const [tenant] = await store.selectTenants(db, id)
    if (!tenant) throw unknownTenant({ tenant: id })
  }

  return {
    ...createSignIn({ database, clock }),
    revision: (db) => store.readRevision(db),
    lock: (tx) => store.lockRevision(tx),
    async directory(db) {
      const tenants = await store.selectTenants(db, null)
      const ended = { after: new Date(clock.nowMs() - ENDED_KEYS_TOLD_MS), most: MOST_ENDED_KEYS_TOLD }
      return { tenants, keys: await store.selectKeysForGateways(db, now(), ended) }
    },
    tenants: (only) => store.selectTenants(database, only ?? null),
    tenant: async (db, id) => (await store.selectTenants(db, id))[0],
    async keys(tenant) {
      return (await store.selectKeys(database, tenant ?? null)).map(view)
    },
    async keyOwners(db) {
      return new Map((await store.selectKeyOwners(db)).map(({ id, tenant }) => [id, tenant]))
    },
    async putTenant(tx, tenant) {
      const existing = await store.selectDeclaredTenant(tx, tenant.id)
      const isSame =
        existing !== undefined &&
        existing.displayName === tenant.displayName &&
        existing.status === tenant.status &&
        sameLimits(existing.limits, tenant.limits) &&
        isDeepStrictEqual(store.termsOf(existing), store.termsOf(tenant))
      if (isSame) return 'unchanged'
      await store.upsertTenant(tx, tenant, now())
      await store.bumpRevision(tx)
      return existing ? 'updated' : 'created'
    },
    async setArrears(tx, tenant, arrears) {
      await store.lockRevision(tx)
      if (await store.updateArrears(tx, tenant, arrears)) await store.bumpRevision(tx)
    },
    projects: (db) => store.selectProjects(db),
    async putProject(tx, project) {
      const existing = (await store.selectProjects(tx, project)).at(0)
      if (existing?.displayName === project.displayName) return 'unchanged'
      await store.upsertProject(tx, project)
      return existing ? 'updated' : 'created'
    },
    async putKey(tx, key) {
      const { id, tenant, name, project, limits } = key
      const expiresAt = key.expiresAtMs === null ? null : new Date(key.expiresAtMs)
      const existing = await store.selectKey(tx, id)
      if (!existing)
        return {
          action: 'created',
          made: await make(tx, { id, tenant, name, project, limits, expiresAt, purpose: 'api' }),
        }
      const isSame =
        existing.name === name &&
        existing.project === project &&
        existing.expiresAtMs === key.expiresAtMs &&
        sameLimits(existing.limits, limits)
      if (isSame) return { action: 'unchanged' }
      await store.updateKey(tx, { id, name, project, limits, expiresAt })
      await store.bumpRevision(tx)
      return { action: 'updated' }
    },
    async createKey({ tenant, name, limits, expiresAtMs }) {
      if (expiresAtMs !== null && expiresAtMs <= clock.nowMs()) throw expiryInThePast({})
      return database.transaction(async (tx) => {
        await store.lockRevision(tx)
        await requireTenant(tx, tenant)
        await requireRoom(tx, tenant, 'api')
        const id = `key-${sortableId(clock.nowMs(), random)}`
        return make(tx, {
          id,
          tenant,
          name,
          project: null,
          limits,
          expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs),
          purpose: 'api',
        })
      })
    },
    async revokeKey(id, tenant) {
      return database.transaction(async (tx) => {
        await store.lockRevision(tx)
        const key = await store.selectKey(tx, id)
        if (!key || key.purpose !== 'api' || (tenant !== undefined && key.tenant !== tenant))
          throw unknownKey({ key: id })
        if (key.status === 'active') {
          await store.revokeKey(tx, id, now())
          await store.bumpRevision(tx)
        }
        return view({ ...key, status: 'revoked' })
      })
    },
    async createPlaygroundKey(tenant) {
      return database.transaction(async (tx) => {
        await store.lockRevision(tx)
        await requireTenant(tx, tenant)
        await store.deletePlaygroundKeys(tx, now())
        await requireRoom(tx, tenant, 'playground')
        const expiresAtMs = clock.nowMs() + PLAYGROUND_LIFETIME_MS
        const id = `playground-${sortableId(clock.nowMs(), random)}`
        const { secret } = await make(tx, {
          id,
          tenant,
          name: 'playground',
          project: null,
          limits: PLAYGROUND_LIMITS,
          expiresAt: new Date(expiresAtMs),
          purpose: 'playground',
        })
        return { secret, expiresAtMs }
      })
    },
    async ensureOperator({ email, password }) {
      const address = email.toLowerCase()
      const existing = await store.selectAccount(database, address)
      if (existing && existing.role !== 'operator') throw accountExists({ email: address })
      if (existing && (await verifyPassword(password, existing.passwordHash))) return
      const passwordHash = await hashPassword(password)
      await database.transaction(async (tx) => {
        const account = {
          email: address,
          role: 'operator',
          tenant: null,
          supplier: null,
          passwordHash,
          createdAt: now(),
        } as const
        if (!(await store.insertAccount(tx, account))) await store.updatePassword(tx, address, passwordHash)
      })
    },
    async createAccount({ email, role, tenant, supplier = null }) {
      if (tenant !== null) await requireTenant(database, tenant)
      const password = randomToken(15)
      const isNew = await store.insertAccount(database, {
        email: email.toLowerCase(),
        role,
        tenant,
        supplier,
        passwordHash: await hashPassword(password),
        createdAt: now(),
      })
      if (!isNew) throw accountExists({ email: email.toLowerCase() })
      return { email: email.toLowerCase(), password }
    },
  }
}
