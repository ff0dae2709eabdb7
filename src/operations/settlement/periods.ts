import type { SupplierPeriodView } from '#contract'
import { DAY_MS, periodAt } from '#kernel'
import type { SettlementDeps } from './deps.ts'
import { listRuns } from './runs/store.ts'
import { listStatements } from './statements/store.ts'

/** GSMA's clearing houses ask after a week for files that have not come. */
const MISSING_AFTER_MS = 7 * DAY_MS
const MOST_ROWS = 500

/** Months of suppliers that something was used in, the newest first, and how far each is. */
export async function supplierPeriods(
  deps: SettlementDeps,
  { supplier, months }: { supplier?: string | undefined; months: number },
): Promise<SupplierPeriodView[]> {
  const nowMs = deps.clock.nowMs()
  const views: SupplierPeriodView[] = []
  let period = periodAt('month', nowMs)
  const statements = await listStatements(deps.database, { supplier, period: undefined, limit: MOST_ROWS })
  const runs = await listRuns(deps.database, { supplier, state: undefined, limit: MOST_ROWS })
  for (let n = 0; n < months; n++) {
    const { key, fromMs, toMs } = period
    const used = await deps.usageOf({ fromMs, toMs: Math.min(toMs, nowMs) })
    const own = statements.filter((one) => one.period === key && one.state !== 'replaced')
    const names = new Set([...used.map((one) => one.supplier), ...own.map((one) => one.supplier)])
    for (const name of [...names].toSorted()) {
      if (supplier !== undefined && name !== supplier) continue
      const usage = used.find((one) => one.supplier === name)
      const statement = own.find((one) => one.supplier === name)
      const run = runs.find((one) => one.supplier === name && one.period === key)
      const waiting = toMs > nowMs ? 'running' : nowMs > toMs + MISSING_AFTER_MS ? 'missing' : 'expected'
      views.push({
        ...{ supplier: name, period: key, requests: usage?.requests ?? 0, accruedPico: `${usage?.accruedPico ?? 0n}` },
        ...{ statement: statement?.id ?? null, state: statement?.state ?? waiting },
        ...{ run: run?.id ?? null, runState: run?.state ?? null },
      })
    }
    period = periodAt('month', fromMs - 1)
  }
  return views
}
