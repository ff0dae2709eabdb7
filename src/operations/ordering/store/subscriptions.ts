import * as z from 'zod'
import { Configuration, Entitlement } from '#contract'
import type { SubscriptionState } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable, Statement, Transaction } from '#platform/postgres'

export interface Subscription {
  readonly id: string
  readonly tenant: string
  readonly offer: string
  readonly configuration: Configuration
  readonly entitlements: readonly Entitlement[]
  readonly state: SubscriptionState
  /** Months are counted from here. */
  readonly anchorMs: number
  readonly startsAtMs: number
  readonly endsAtMs: number | null
  readonly autoRenew: boolean
  readonly attempts: number
  readonly renewAtMs: number | null
}

interface SubscriptionRow {
  readonly id: string
  readonly tenant: string
  readonly offer: string
  readonly configuration: unknown
  readonly entitlements: unknown
  readonly state: SubscriptionState
  readonly anchorMs: bigint
  readonly startsAtMs: bigint
  readonly endsAtMs: bigint | null
  readonly autoRenew: boolean
  readonly attempts: number
  readonly renewAtMs: bigint | null
}

const millis = (value: bigint | null): number | null => (value === null ? null : Number(value))

async function select(db: Queryable, rest: Statement): Promise<Subscription[]> {
  const rows = await db.rows<SubscriptionRow>(sql`
    select id, tenant, offer, configuration, entitlements, state, anchor_ms as "anchorMs", starts_at_ms as "startsAtMs",
           ends_at_ms as "endsAtMs", auto_renew as "autoRenew", attempts, renew_at_ms as "renewAtMs"
      from ordering.subscription ${rest}
  `)
  return rows.map((row) => ({
    ...row,
    configuration: Configuration.parse(row.configuration),
    entitlements: z.array(Entitlement).parse(row.entitlements),
    anchorMs: Number(row.anchorMs),
    startsAtMs: Number(row.startsAtMs),
    endsAtMs: millis(row.endsAtMs),
    renewAtMs: millis(row.renewAtMs),
  }))
}

export async function insertSubscription(tx: Transaction, one: Subscription, nowMs: number): Promise<void> {
  await tx.rows(sql`
    insert into ordering.subscription (id, tenant, offer, configuration, entitlements, state, anchor_ms, starts_at_ms, ends_at_ms,
                                       auto_renew, attempts, renew_at_ms, created_at_ms)
    values (${one.id}, ${one.tenant}, ${one.offer}, ${JSON.stringify(one.configuration)}, ${JSON.stringify(one.entitlements)},
            ${one.state}, ${one.anchorMs}::bigint, ${one.startsAtMs}::bigint, ${one.endsAtMs}::bigint, ${one.autoRenew},
            ${one.attempts}, ${one.renewAtMs}::bigint, ${nowMs}::bigint)
  `)
}

export async function updateSubscription(tx: Transaction, one: Subscription): Promise<void> {
  await tx.rows(sql`
    update ordering.subscription
       set offer = ${one.offer}, configuration = ${JSON.stringify(one.configuration)},
           entitlements = ${JSON.stringify(one.entitlements)}, state = ${one.state}, anchor_ms = ${one.anchorMs}::bigint,
           starts_at_ms = ${one.startsAtMs}::bigint, ends_at_ms = ${one.endsAtMs}::bigint, auto_renew = ${one.autoRenew},
           attempts = ${one.attempts}, renew_at_ms = ${one.renewAtMs}::bigint
     where id = ${one.id}
  `)
}

export async function selectSubscription(db: Queryable, id: string): Promise<Subscription | undefined> {
  const [one] = await select(db, sql`where id = ${id}`)
  return one
}

/** Newest first. */
export async function selectSubscriptions(
  db: Queryable,
  page: { readonly tenant?: string; readonly limit: number; readonly before?: string },
): Promise<Subscription[]> {
  return select(
    db,
    sql`where (${page.tenant ?? null}::text is null or tenant = ${page.tenant ?? null})
          and (${page.before ?? null}::text is null or id < ${page.before ?? null})
        order by id desc limit ${page.limit}`,
  )
}

export interface SubscriptionSearch {
  readonly ids?: readonly string[]
  readonly tenants?: readonly string[]
  readonly states?: readonly string[]
  readonly offset: number
  readonly limit: number
}

/** In the order in which they were bought, and how many there are in all. */
export async function selectSubscriptionPage(
  db: Queryable,
  { ids, tenants, states, offset, limit }: SubscriptionSearch,
): Promise<{ readonly found: Subscription[]; readonly total: number }> {
  const where = sql`where ${ids ? sql`id = any(${ids}::text[])` : sql`true`} and ${tenants ? sql`tenant = any(${tenants}::text[])` : sql`true`}
    and ${states ? sql`state = any(${states}::text[])` : sql`true`}`
  const [row] = await db.rows<{ total: bigint }>(sql`select count(*) as total from ordering.subscription ${where}`)
  const found = await select(db, sql`${where} order by id offset ${offset} limit ${limit}`)
  return { found, total: Number(row?.total ?? 0) }
}

/** What a tenant has, in the order in which it was bought. */
export async function selectLive(db: Queryable, tenant: string): Promise<Subscription[]> {
  return select(db, sql`where tenant = ${tenant} and state in ('active', 'suspended') order by id`)
}

/** Whose renewal is due, the longest overdue first. */
export async function selectRenewals(db: Queryable, nowMs: number, limit: number): Promise<Subscription[]> {
  return select(
    db,
    sql`where renew_at_ms <= ${nowMs}::bigint and state = 'active' order by renew_at_ms, id limit ${limit}`,
  )
}

/** Whose last paid term is over. */
export async function selectEnded(db: Queryable, nowMs: number, limit: number): Promise<Subscription[]> {
  return select(
    db,
    sql`where ends_at_ms <= ${nowMs}::bigint and state in ('active', 'suspended') order by ends_at_ms, id limit ${limit}`,
  )
}
