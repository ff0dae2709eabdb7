import type { ExplainReply, LivePoint, PostingView, RequestRow, UsageRecord, UsageRow } from '#contract'
import { NO_TOKENS } from '#kernel'
import { findPostings, postings as ledgerPostings } from '#ledger'
import type { Clock } from '#platform/clock'
import type { Queryable } from '#platform/postgres'
import { quantile, SPAN_MS } from '../ingest/rollup.ts'
import { entriesOf } from '../ingest/burn.ts'
import { attemptCosts, columnsOf } from '../ingest/model.ts'
import { correctionsOf } from '../corrections/store.ts'
import { attemptEntries } from '../model.ts'
import { rollupRanges, tenantAccounts, unitEntries } from './model.ts'
import { unknownRequest } from '../problems.ts'
import { minuteSums, newestRecords, recordById, usageSums } from './store.ts'
import type { UsageBy } from './store.ts'

export interface UsageQuery {
  readonly by: UsageBy
  /** Inclusive; the beginning of time if absent. */
  readonly fromMs?: number
  /** Exclusive; now if absent. Both ends are widened to whole minutes. */
  readonly toMs?: number
  readonly tenant?: string
}

export async function usage(
  { database, clock }: { database: Queryable; clock: Clock },
  query: UsageQuery,
): Promise<UsageRow[]> {
  const ranges = rollupRanges({ fromMs: query.fromMs ?? 0, toMs: query.toMs ?? clock.nowMs() + SPAN_MS.minute })
  const rows = await usageSums(database, { by: query.by, ranges, tenant: query.tenant })
  return rows.map((row) => ({ ...row, sellPico: `${row.sellPico}`, buyPico: `${row.buyPico}` }))
}

export async function live(
  { database, clock }: { database: Queryable; clock: Clock },
  { minutes, tenant }: { minutes: number; tenant?: string },
): Promise<LivePoint[]> {
  const toMs = clock.nowMs() - (clock.nowMs() % SPAN_MS.minute) + SPAN_MS.minute
  const fromMs = toMs - minutes * SPAN_MS.minute
  const sums = new Map((await minuteSums(database, { fromMs, toMs, tenant })).map((sum) => [sum.minuteMs, sum]))
  return Array.from({ length: minutes }, (_, index): LivePoint => {
    const minuteMs = fromMs + index * SPAN_MS.minute
    const sum = sums.get(minuteMs)
    return {
      minuteMs,
      requests: sum?.requests ?? 0,
      failed: sum?.failed ?? 0,
      tokens: sum?.tokens ?? NO_TOKENS,
      sellPico: `${sum?.sellPico ?? 0n}`,
      ttftMsP50: sum ? quantile(sum.ttft, 0.5) : null,
      ttftMsP95: sum ? quantile(sum.ttft, 0.95) : null,
      outputTokensPerSecond: sum && sum.pacedMs > 0 ? (sum.pacedTokens * 1000) / sum.pacedMs : null,
    }
  })
}

export async function requests(
  db: Queryable,
  page: { tenant?: string; limit: number; before?: string },
): Promise<RequestRow[]> {
  const records = await newestRecords(db, { tenant: page.tenant, limit: page.limit, beforeId: page.before })
  return records.map((record) => ({
    ...pickRow(record),
    tier: record.tier ?? 'standard',
    draws: (record.draws ?? [])
      .filter(({ kind }) => kind !== 'cap')
      .map(({ kind, bucket, amount, version }) => ({ kind, bucket, amount, version })),
  }))
}

function pickRow(record: UsageRecord) {
  const { id, completedAtMs, tenant, key, service, supplier, ending, tokens, ttftMs, durationMs, sellPico } = record
  return { id, completedAtMs, tenant, key, service, supplier, ending, tokens, ttftMs, durationMs, sellPico }
}

/** Everything about one request. Throws the problem `unknown_request`. What a tenant may not see is for the caller to take out. */
export async function explain(db: Queryable, id: string): Promise<ExplainReply> {
  const found = await recordById(db, id)
  if (!found) throw unknownRequest({ id })
  const { record, burn, postingId } = found
  const [posting] = await findPostings(db, [postingId])
  const entries = [
    ...entriesOf(columnsOf(record), burn),
    ...attemptCosts(record).flatMap(attemptEntries),
    ...unitEntries(record),
  ]
  return {
    record,
    posting: posting ? { id: posting.id, bookedAtMs: posting.bookedAtMs, hash: posting.hash } : null,
    shares: entries.map(({ account, amountPico }) => ({ account, amountPico: `${amountPico}` })),
    corrections: (await correctionsOf(db, [id])).map(
      ({ usageId: usage, version, kind, sellPico, taxPico, sellSheet, reason, by, madeAtMs }) => ({
        ...{ usage, version, kind, sellSheet, reason, by, madeAtMs },
        sellPico: `${sellPico}`,
        taxPico: `${taxPico}`,
      }),
    ),
  }
}

/** Postings, newest first; with a tenant, those that touch its wallet. Whole: what a tenant may not see is for the caller to take out. */
export async function postings(
  db: Queryable,
  page: { tenant?: string; limit: number; before?: string },
): Promise<PostingView[]> {
  const found = await ledgerPostings(db, {
    limit: page.limit,
    ...(page.tenant === undefined ? {} : { accounts: tenantAccounts(page.tenant) }),
    ...(page.before === undefined ? {} : { beforeId: page.before }),
  })
  return found.map(({ id, kind, bookedAtMs, memo, entries, facts }) => ({
    id,
    kind,
    bookedAtMs,
    memo,
    entries: entries.map(({ account, amountPico }) => ({ account, amountPico: `${amountPico}` })),
    records: kind === 'usage' ? facts : 0,
  }))
}
