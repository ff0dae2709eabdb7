import type { AgreementView, CallOffView, PackageView, ProjectView, TaxedPico } from '#contract'
import { grossOfTax, pico } from '#kernel'
import type { Queryable } from '#platform/postgres'
import { dueMs, lateDays, latenessPico } from './model/clock.ts'
import { unknownThing } from './problems.ts'
import { selectAgreements } from './store/agreements.ts'
import type { AgreementFilter } from './store/agreements.ts'
import { selectCallOffs, selectDeliveries, selectLots, selectStops } from './store/call-offs.ts'
import type { CallOffFilter, CallOffRow } from './store/call-offs.ts'
import {
  findPackage,
  selectBids,
  selectObjections,
  selectPackages,
  selectProjects,
  selectSuppliers,
} from './store/projects.ts'
import type { PackageRow } from './store/projects.ts'
import { orderedOf, sharesOf } from './store/shares.ts'
import { historyOf } from './store/transitions.ts'

/** An amount without tax, with what it is with it. */
export function taxed(netPico: bigint, taxPercent: number): TaxedPico {
  const gross = grossOfTax(pico(netPico), taxPercent)
  return { netPico: `${netPico}`, taxPico: `${gross - netPico}`, grossPico: `${gross}`, taxPercent }
}

async function namesOf(db: Queryable): Promise<ReadonlyMap<string, string>> {
  return new Map((await selectSuppliers(db)).map(({ id, nameZh }) => [id, nameZh]))
}

/** Packages with their shares and what was called off of them. */
async function headsOf(db: Queryable, rows: readonly PackageRow[]) {
  const names = await namesOf(db)
  const ids = rows.map(({ id }) => id)
  const shares = await sharesOf(db, ids)
  const ordered = Map.groupBy(await orderedOf(db, ids), (row) => row.package)
  return rows.map((row) => {
    const called = new Map((ordered.get(row.id) ?? []).map((each) => [each.supplier, each]))
    const views = (shares.get(row.id) ?? []).map(({ supplier, ppm }) => ({
      supplier,
      nameZh: names.get(supplier) ?? supplier,
      ppm,
      lots: called.get(supplier)?.lots ?? 0,
      calledPico: `${called.get(supplier)?.calledPico ?? 0n}`,
    }))
    return {
      ...{ id: row.id, project: row.project, number: row.number, name: row.name, state: row.state },
      ceiling: taxed(row.ceilingPico, row.terms.taxPercent),
      calledPico: `${views.reduce((sum, { calledPico }) => sum + BigInt(calledPico), 0n)}`,
      objectionsUntilMs: row.objectionsUntilMs,
      shares: views,
    }
  })
}

export async function projectViews(db: Queryable, id: string | null): Promise<ProjectView[]> {
  const projects = await selectProjects(db, id)
  if (id !== null && projects.length === 0) throw unknownThing({ what: 'project', id })
  const packages = Map.groupBy(await headsOf(db, await selectPackages(db, id)), ({ project }) => project)
  const history = await historyOf(
    db,
    'project',
    projects.map((project) => project.id),
  )
  return projects.map(({ id: project, state, content, estimatePico }) => {
    const { name, buyer, method, year, taxPercent } = content
    return {
      ...{ id: project, name, buyer, method, year, state },
      estimate: taxed(estimatePico, taxPercent),
      packages: packages.get(project) ?? [],
      history: history.get(project) ?? [],
    }
  })
}

export async function packageView(db: Queryable, id: string): Promise<PackageView> {
  const row = await findPackage(db, id)
  const [head] = row ? await headsOf(db, [row]) : []
  if (!row || !head) throw unknownThing({ what: 'package', id })
  return {
    ...head,
    terms: row.terms,
    bids: await selectBids(db, id),
    objections: await selectObjections(db, id),
    history: (await historyOf(db, 'package', [id])).get(id) ?? [],
  }
}

export async function agreementViews(db: Queryable, filter: AgreementFilter): Promise<AgreementView[]> {
  const rows = await selectAgreements(db, filter)
  const names = await namesOf(db)
  const shares = await sharesOf(
    db,
    rows.map((row) => row.package),
  )
  const history = await historyOf(
    db,
    'agreement',
    rows.map(({ id }) => id),
  )
  return rows.map(({ ceilingPico, calledPico, ...row }) => ({
    ...row,
    nameZh: names.get(row.supplier) ?? row.supplier,
    sharePpm: shares.get(row.package)?.find(({ supplier }) => supplier === row.supplier)?.ppm ?? 0,
    ceilingPico: `${ceilingPico}`,
    calledPico: `${calledPico}`,
    history: history.get(row.id) ?? [],
  }))
}

export async function callOffViews(db: Queryable, filter: CallOffFilter, nowMs: number): Promise<CallOffView[]> {
  const rows = await selectCallOffs(db, filter)
  const ids = rows.map(({ id }) => id)
  const agreements = new Map((await selectAgreements(db, {})).map((agreement) => [agreement.id, agreement]))
  const stops = Map.groupBy(await selectStops(db, ids), ({ callOff }) => callOff)
  const deliveries = Map.groupBy(await selectDeliveries(db, ids), ({ callOff }) => callOff)
  const lots = new Map((await selectLots(db, { callOffs: ids })).map((lot) => [lot.callOff, lot]))
  const history = await historyOf(db, 'call_off', ids)
  return rows.flatMap((row) => {
    const terms = agreements.get(row.agreement)?.terms
    if (!terms) return []
    const ownStops = stops.get(row.id) ?? []
    const ownDeliveries = deliveries.get(row.id) ?? []
    const lot = lots.get(row.id)
    const { amountPico, ...rest } = row
    const due = row.orderedAtMs === null ? null : dueMs(row.orderedAtMs, terms.deliveryDays, ownStops, nowMs)
    return [
      {
        ...rest,
        amount: taxed(amountPico, terms.taxPercent),
        dueAtMs: due,
        ...lateness(row, due, { terms, deliveries: ownDeliveries, nowMs }),
        stops: ownStops.map(({ fromMs, toMs, reason, by }) => ({ fromMs, toMs, reason, by })),
        deliveries: ownDeliveries.map(({ units, atMs, by }) => ({ units, atMs, by })),
        lot: lot ? { id: lot.id, state: lot.state, fromMs: lot.fromMs, toMs: lot.toMs } : null,
        history: history.get(row.id) ?? [],
      },
    ]
  })
}

/** An order that was given up owes nothing more for being late than until then: its clock ends with it. */
function lateness(
  row: CallOffRow,
  due: number | null,
  {
    terms,
    deliveries,
    nowMs,
  }: {
    readonly terms: AgreementView['terms']
    readonly deliveries: readonly { units: number; atMs: number }[]
    readonly nowMs: number
  },
): { lateDays: number; latenessPico: string } {
  if (due === null || row.state === 'terminated') return { lateDays: 0, latenessPico: '0' }
  const order = { units: row.units, amountPico: row.amountPico, dueMs: due }
  return {
    lateDays: lateDays(due, row.deliveredAtMs ?? nowMs),
    latenessPico: `${latenessPico(order, deliveries, terms.lateness, nowMs)}`,
  }
}
