import type { ArrearsState, ArrearsView } from '#contract'
import type { Queryable, Transaction } from '#platform/postgres'
import { THE_FACTORY } from './context.ts'
import type { OrderingDeps } from './context.ts'
import { arrearsAt, arrearsSteps } from './model/arrears.ts'
import { clearDebts, putArrears, putDebt, selectArrears, selectDebts } from './store/arrears.ts'
import { lockDesk } from './store/quotes.ts'
import { selectLive } from './store/subscriptions.ts'
import { insertTransition, transitionsOf } from './store/transitions.ts'
import { moveSubscription } from './transitions.ts'

export interface Debt {
  readonly tenant: string
  /** An invoice that is overdue, or a fee that could not be taken. */
  readonly kind: 'invoice' | 'fee'
  readonly reference: string
}

/** Says that something is overdue since then, within the caller's transaction. Repeating it changes nothing. */
export async function setOverdue(
  tx: Transaction,
  deps: Pick<OrderingDeps, 'clock' | 'identity'>,
  debt: Debt & { readonly sinceMs: number; readonly by: string },
): Promise<void> {
  await lockDesk(tx, debt.tenant)
  await putDebt(tx, debt)
  await settle(tx, deps, debt.tenant, { by: debt.by, reason: `${debt.kind} ${debt.reference} is overdue` })
}

/** Says that it is paid. */
export async function clearOverdue(
  tx: Transaction,
  deps: Pick<OrderingDeps, 'clock' | 'identity'>,
  debt: Debt & { readonly by: string },
): Promise<void> {
  await lockDesk(tx, debt.tenant)
  await clearDebts(tx, debt, deps.clock.nowMs())
  await settle(tx, deps, debt.tenant, { by: debt.by, reason: `${debt.kind} ${debt.reference} is paid` })
}

/** Puts a tenant into the state that its debts give it now, step by step and on the record. */
async function settle(
  tx: Transaction,
  { clock, identity }: Pick<OrderingDeps, 'clock' | 'identity'>,
  tenant: string,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<ArrearsState> {
  const atMs = clock.nowMs()
  const open = (await selectDebts(tx, tenant)).filter(({ clearedAtMs }) => clearedAtMs === null)
  const [row] = await selectArrears(tx, tenant)
  const before = row?.state ?? 'clear'
  const after = arrearsAt(open, atMs)
  if (row === undefined)
    await insertTransition(tx, 'arrears', tenant, { atMs, by, reason: 'nothing was owed', from: null, to: 'clear' })
  let from: ArrearsState = before
  for (const to of arrearsSteps(before, after)) {
    await insertTransition(tx, 'arrears', tenant, { atMs, by, reason, from, to })
    from = to
  }
  if (row !== undefined && before === after) return after
  await putArrears(tx, { tenant, state: after, sinceMs: atMs })
  await identity.setArrears(tx, tenant, after === 'grace' ? 'clear' : after)
  const state = after === 'suspended' ? 'suspended' : 'active'
  for (const one of await selectLive(tx, tenant))
    if (one.state !== state) await moveSubscription(tx, one, state, { atMs, by, reason })
  return after
}

/** Lets time pass for everybody who owes. */
export async function ageArrears(deps: OrderingDeps): Promise<{ changed: number }> {
  let changed = 0
  const owing = (await selectArrears(deps.database, null)).filter(({ state }) => state !== 'clear')
  for (const { tenant, state } of owing) {
    try {
      const after = await deps.database.transaction(async (tx) => {
        await lockDesk(tx, tenant)
        return settle(tx, deps, tenant, { by: THE_FACTORY.by, reason: 'nothing was paid meanwhile' })
      })
      if (after !== state) changed += 1
    } catch (error) {
      deps.log.error({ err: error, tenant }, 'arrears could not be looked at')
    }
  }
  return { changed }
}

/** Of one tenant, or of all that ever owed. */
export async function arrearsViews(db: Queryable, tenant?: string): Promise<ArrearsView[]> {
  const rows = await selectArrears(db, tenant ?? null)
  const debts = Map.groupBy(await selectDebts(db, tenant ?? null), (debt) => debt.tenant)
  const transitions = await transitionsOf(
    db,
    'arrears',
    rows.map((row) => row.tenant),
  )
  return rows.map((row) => ({
    ...row,
    causes: (debts.get(row.tenant) ?? []).map(({ kind, reference, sinceMs, clearedAtMs }) => ({
      kind,
      reference,
      sinceMs,
      clearedAtMs,
    })),
    transitions: transitions.get(row.tenant) ?? [],
  }))
}
