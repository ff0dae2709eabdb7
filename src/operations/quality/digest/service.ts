import { bookedRecords } from '#charging'
import type { UsageRecord } from '#contract'
import { chain } from '#ledger'
import type { Clock } from '#platform/clock'
import type { Database, Transaction } from '#platform/postgres'
import { auditRecords } from '../audit/service.ts'
import type { AuditTermsOf } from '../audit/service.ts'
import { countRecords } from '../sli/service.ts'
import type { SupplierSlaOf } from '../sli/service.ts'
import { lockMark, moveMark } from '../store/mark.ts'

/** Postings per transaction: up to 500 records each. */
const PAGE = 20
const RECORDS_PAGE = 1000

export interface DigestDeps {
  readonly database: Database
  readonly clock: Clock
  readonly auditTermsOf: AuditTermsOf
  readonly supplierSlaOf: SupplierSlaOf
}

/**
 * Reads on along the ledger's chain to its end: each record that was booked is judged once, in the order in which it was booked,
 * however late it came, however often and by however many this is called.
 */
export async function digest(deps: DigestDeps): Promise<{ records: number }> {
  let records = 0
  for (;;) {
    const page = await deps.database.transaction((tx) => digestPage(tx, deps))
    records += page.records
    if (page.isEnd) return { records }
  }
}

async function digestPage(tx: Transaction, deps: DigestDeps): Promise<{ records: number; isEnd: boolean }> {
  const from = await lockMark(tx)
  const { value: page = [] } = (await chain(tx, PAGE, from).next()) as { value?: readonly PostingHead[] }
  const last = page.at(-1)
  if (!last) return { records: 0, isEnd: true }
  const records: UsageRecord[] = []
  for (const { id } of page.filter(({ kind }) => kind === 'usage')) records.push(...(await recordsBehind(tx, id)))
  await auditRecords(tx, records, { termsOf: deps.auditTermsOf, nowMs: deps.clock.nowMs() })
  await countRecords(tx, records, deps.supplierSlaOf)
  await moveMark(tx, last.seq)
  return { records: records.length, isEnd: page.length < PAGE }
}

interface PostingHead {
  readonly seq: number
  readonly id: string
  readonly kind: string
}

async function recordsBehind(tx: Transaction, postingId: string): Promise<UsageRecord[]> {
  const records: UsageRecord[] = []
  const range = { postingIds: [postingId], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, limit: RECORDS_PAGE }
  for (let after: string | undefined; ;) {
    const page = await bookedRecords(tx, after === undefined ? range : { ...range, after })
    for (const { record, correction } of page) if (correction === null) records.push(record)
    if (page.length < RECORDS_PAGE) return records
    after = page.at(-1)?.record.id
  }
}
