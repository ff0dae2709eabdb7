import { hash } from 'node:crypto'
import { periodOfKey } from '#kernel'
import type { Database, Transaction } from '#platform/postgres'
import { periodNotOver } from '../problems.ts'
import { addEvent } from '../store/events.ts'
import { dropCredits, insertReport, proposeCredit, readReports } from '../store/sla.ts'
import type { ReportRow } from '../store/sla.ts'
import { partiesSeen, sumMinutes } from '../store/sli.ts'
import type { Leg } from './model/observation.ts'
import { creditId, reportLine } from './model/report.ts'
import type { ReportLine } from './model/report.ts'
import { termsReader } from './service.ts'
import type { SupplierSlaOf } from './service.ts'

interface ReportRun {
  readonly supplierSlaOf: SupplierSlaOf
  readonly period: string
  readonly by: string
  readonly nowMs: number
}

/** A line as it is kept and sent: amounts are decimal strings. */
export const lineText = (line: ReportLine) => ({
  ...line,
  netPico: `${line.netPico}`,
  taxPico: `${line.taxPico}`,
  creditNetPico: `${line.creditNetPico}`,
  creditTaxPico: `${line.creditTaxPico}`,
})

/** A month in China, which must be over. Throws `period_not_over`. */
export function monthOf(period: string, nowMs: number): { fromMs: number; toMs: number } {
  const month = periodOfKey('month', period)
  if (!month || month.toMs > nowMs) throw periodNotOver({ period })
  return month
}

/**
 * Computes a month's reports for everybody who was seen, customers and suppliers from the same minutes, and proposes the credits and
 * penalties that follow. Computing again changes nothing, unless records came late: then a report gets a new version, and credits
 * that nobody has decided about follow it.
 */
export async function computeReports(database: Database, run: ReportRun): Promise<ReportRow[]> {
  const month = monthOf(run.period, run.nowMs)
  const parties = await partiesSeen(database, month)
  for (const { leg, party } of parties) await database.transaction((tx) => computeReport(tx, { leg, party }, run))
  return readReports(database, { period: run.period })
}

async function computeReport(
  tx: Transaction,
  { leg, party }: { leg: Leg; party: string },
  { supplierSlaOf, period, by, nowMs }: ReportRun,
): Promise<void> {
  const { fromMs, toMs } = monthOf(period, nowMs)
  const termsOf = await termsReader(tx, supplierSlaOf)
  const lines: ReportLine[] = []
  for (const sums of await sumMinutes(tx, { fromMs, toMs, leg, party }))
    lines.push(reportLine(sums, await termsOf(sums, toMs - 1)))
  const [before] = await readReports(tx, { period, leg, party })
  const texts = lines.map(lineText)
  const digest = hash('sha256', JSON.stringify([leg, party, period, texts]), 'hex')
  if (before?.hash === digest) return
  const version = (before?.version ?? 0) + 1
  await insertReport(tx, {
    leg,
    party,
    period,
    version,
    lines: texts,
    hash: digest,
    computedAtMs: nowMs,
    computedBy: by,
  })
  const due = lines.filter(({ creditNetPico, creditTaxPico }) => creditNetPico + creditTaxPico > 0n)
  for (const line of due) {
    const { service, tier, penaltyPpm: ppm, creditNetPico: netPico, creditTaxPico: taxPico } = line
    const id = creditId(line, period)
    const money = { ppm, netPico, taxPico }
    await proposeCredit(tx, {
      id,
      leg,
      party,
      period,
      service,
      tier,
      version,
      ...money,
      state: 'computed',
      proposedBy: by,
    })
    await addEvent(tx, {
      subject: id,
      what: 'computed',
      by,
      reason: `report of ${period}, version ${version}`,
      atMs: nowMs,
    })
  }
  await dropCredits(tx, { leg, party, period, keep: due.map((line) => creditId(line, period)) })
}
