import { hash } from 'node:crypto'
import type { Database, Transaction } from '#platform/postgres'
import { closeAlert, insertAlert, openAlerts } from '../store/alerts.ts'
import type { Alert } from '../store/alerts.ts'
import { sumMinutes } from '../store/sli.ts'
import { BURN_RULES, alertsAt } from './model/burn.ts'
import { MINUTE_MS, minuteOf } from './model/minute.ts'
import type { SliSums } from './model/report.ts'
import { termsReader } from './service.ts'
import type { SupplierSlaOf } from './service.ts'

const scopeText = ({ leg, party, service, tier }: SliSums | Alert): string =>
  JSON.stringify([leg, party, service, tier])
const alertText = (scope: string, measure: string, rule: string): string => `${scope} ${measure} ${rule}`

/** Job: opens alerts on error budgets that burn too fast, and closes those that no longer do. Reads six hours of minutes at most. */
export async function watchBudgets(
  database: Database,
  { supplierSlaOf, nowMs }: { readonly supplierSlaOf: SupplierSlaOf; readonly nowMs: number },
): Promise<{ opened: number; closed: number }> {
  return database.transaction((tx) => watchIn(tx, supplierSlaOf, nowMs))
}

async function watchIn(tx: Transaction, supplierSlaOf: SupplierSlaOf, nowMs: number) {
  const open = new Map((await openAlerts(tx)).map((one) => [alertText(scopeText(one), one.measure, one.rule), one]))
  const termsOf = await termsReader(tx, supplierSlaOf)
  // Whole minutes only: the one that runs has not had its share of requests yet.
  const toMs = minuteOf(nowMs)
  const windows = new Map<number, ReadonlyMap<string, SliSums>>()
  for (const minutes of new Set(BURN_RULES.flatMap((rule) => [rule.longMinutes, rule.shortMinutes]))) {
    const sums = await sumMinutes(tx, { fromMs: toMs - minutes * MINUTE_MS, toMs })
    windows.set(minutes, new Map(sums.map((each) => [scopeText(each), each])))
  }
  const burning = new Set<string>()
  let opened = 0
  for (const rule of BURN_RULES) {
    for (const [scope, long] of windows.get(rule.longMinutes) ?? []) {
      const short = windows.get(rule.shortMinutes)?.get(scope)
      if (!short) continue
      for (const term of (await termsOf(long, nowMs))?.measures ?? []) {
        const burn = alertsAt(rule, term, long, short)
        if (burn === undefined) continue
        const name = alertText(scope, term.measure, rule.name)
        burning.add(name)
        if (open.has(name)) continue
        const { leg, party, service, tier } = long
        const id = `alr_${hash('sha256', `${name} ${nowMs}`, 'hex').slice(0, 20)}`
        const what = { measure: term.measure, rule: rule.name, burn, openedAtMs: nowMs, closedAtMs: null }
        await insertAlert(tx, { id, leg, party, service, tier, ...what })
        opened += 1
      }
    }
  }
  const over = [...open].filter(([name]) => !burning.has(name))
  for (const [, { id }] of over) await closeAlert(tx, id, nowMs)
  return { opened, closed: over.length }
}
