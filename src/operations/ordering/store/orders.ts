import { Configuration } from '#contract'
import type { OrderState, OrderView } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Statement, Transaction } from '#platform/postgres'

export interface Order {
  readonly id: string
  readonly tenant: string
  readonly idempotencyKey: string
  readonly contentHash: string
  readonly action: OrderView['action']
  readonly cause: OrderView['cause']
  readonly offer: string
  readonly configuration: Configuration
  readonly quote: string | null
  readonly subscription: string | null
  readonly state: OrderState
  readonly grossPico: bigint
  readonly netPico: bigint
  readonly refundPico: bigint
  readonly failure: OrderView['failure']
  readonly createdAtMs: number
  readonly endedAtMs: number | null
}

interface OrderRow {
  readonly id: string
  readonly tenant: string
  readonly idempotencyKey: string
  readonly contentHash: string
  readonly action: Order['action']
  readonly cause: Order['cause']
  readonly offer: string
  readonly configuration: unknown
  readonly quote: string | null
  readonly subscription: string | null
  readonly state: OrderState
  readonly gross: string
  readonly net: string
  readonly refund: string
  readonly failure: Order['failure']
  readonly createdAtMs: bigint
  readonly endedAtMs: bigint | null
}

/** True if it is new: the tenant had no order under this key. */
export async function insertOrder(tx: Transaction, order: Order): Promise<boolean> {
  const rows = await tx.rows(sql`
    insert into ordering.product_order (id, tenant, idempotency_key, content_hash, action, cause, offer, configuration, quote,
                                        subscription, state, gross, net, refund, failure, created_at_ms, ended_at_ms)
    values (${order.id}, ${order.tenant}, ${order.idempotencyKey}, ${order.contentHash}, ${order.action}, ${order.cause},
            ${order.offer}, ${JSON.stringify(order.configuration)}, ${order.quote}, ${order.subscription}, ${order.state},
            ${order.grossPico}::numeric, ${order.netPico}::numeric, ${order.refundPico}::numeric,
            ${order.failure === null ? null : JSON.stringify(order.failure)}, ${order.createdAtMs}::bigint,
            ${order.endedAtMs}::bigint)
        on conflict (tenant, idempotency_key) do nothing
    returning id
  `)
  return rows.length === 1
}

/** What changes in an order's life; what it asked for does not. */
export async function updateOrder(
  tx: Transaction,
  order: Pick<
    Order,
    'id' | 'state' | 'subscription' | 'grossPico' | 'netPico' | 'refundPico' | 'failure' | 'endedAtMs'
  >,
): Promise<void> {
  await tx.rows(sql`
    update ordering.product_order
       set state = ${order.state}, subscription = ${order.subscription}, gross = ${order.grossPico}::numeric,
           net = ${order.netPico}::numeric, refund = ${order.refundPico}::numeric,
           failure = ${order.failure === null ? null : JSON.stringify(order.failure)}, ended_at_ms = ${order.endedAtMs}::bigint
     where id = ${order.id}
  `)
}

async function select(db: Queryable, rest: Statement): Promise<Order[]> {
  const rows = await db.rows<OrderRow>(sql`
    select id, tenant, idempotency_key as "idempotencyKey", content_hash as "contentHash", action, cause, offer, configuration,
           quote, subscription, state, gross, net, refund, failure, created_at_ms as "createdAtMs", ended_at_ms as "endedAtMs"
      from ordering.product_order ${rest}
  `)
  return rows.map(({ gross, net, refund, createdAtMs, endedAtMs, configuration, ...row }) => ({
    ...row,
    configuration: Configuration.parse(configuration),
    grossPico: integerFromNumeric(gross),
    netPico: integerFromNumeric(net),
    refundPico: integerFromNumeric(refund),
    createdAtMs: Number(createdAtMs),
    endedAtMs: endedAtMs === null ? null : Number(endedAtMs),
  }))
}

export async function selectOrder(db: Queryable, id: string): Promise<Order | undefined> {
  const [order] = await select(db, sql`where id = ${id}`)
  return order
}

export async function selectOrderByKey(db: Queryable, tenant: string, key: string): Promise<Order | undefined> {
  const [order] = await select(db, sql`where tenant = ${tenant} and idempotency_key = ${key}`)
  return order
}

/** The change that waits for the end of a subscription's term. */
export async function selectWaiting(db: Queryable, subscriptions: readonly string[]): Promise<Order[]> {
  return select(db, sql`where subscription = any(${subscriptions}::text[]) and state = 'pending'`)
}

/** Newest first. */
export async function selectOrders(
  db: Queryable,
  page: { readonly tenant?: string; readonly limit: number; readonly before?: string },
): Promise<Order[]> {
  return select(
    db,
    sql`where (${page.tenant ?? null}::text is null or tenant = ${page.tenant ?? null})
          and (${page.before ?? null}::text is null or id < ${page.before ?? null})
        order by id desc limit ${page.limit}`,
  )
}

/** How often a tenant has ordered an offer, what was rejected, failed or cancelled aside. */
export async function countOrders(db: Queryable, tenant: string, offer: string): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`
    select count(*) as count from ordering.product_order
     where tenant = ${tenant} and offer = ${offer} and cause in ('order', 'change')
       and state not in ('rejected', 'failed', 'cancelled')
  `)
  return Number(row?.count ?? 0n)
}
