import { NO_TOKENS, fenToPico, parsePriceSheet, periodOfKey, pricesFor, totalTokens } from '#kernel'
import type { Calendars, TokenClass, TokenCounts, TokenPrices } from '#kernel'
import { bookedCorrections, bookedRecords } from '#charging'
import type { BookedRecord, SheetById } from '#charging'
import type { Queryable } from '#platform/postgres'
import { postingsOf } from '../rollup/store.ts'
import type { Document, FiledLine } from '../run/model.ts'
import { linesOf } from '../run/line-store.ts'

/** One row of the token detail: a request, or the whole of a line that has no requests. */
export interface DetailRow {
  readonly line: FiledLine
  readonly kind: 'usage' | 'correction' | 'fee' | 'credit'
  readonly booked: BookedRecord | null
  /** Tokens that packages and reservations paid for. */
  readonly covered: TokenCounts
  readonly prices: TokenPrices | null
  /** Money of a reservation that is spent by the minute. */
  readonly reservationPico: bigint
  readonly amountPico: bigint
  readonly giftPico: bigint
  readonly billedPico: bigint
  readonly creditPico: bigint
}

export interface DetailDeps {
  readonly database: Queryable
  readonly sheetById: SheetById
  readonly calendars: () => Promise<Calendars>
}

/** A posting has at most 500 records, and all of a page's are read at once: reading them bit by bit would sort them again each time. */
const POSTINGS = 4
/** Sorts after every request's id: the corrections of a page follow its records. */
const CORRECTED = '~'
const RECORDS = 2_000

/** Every row behind a document, line by line, in the order of the books. One page at a time, so a large month fits a small memory. */
export async function* detailRows(deps: DetailDeps, document: Document): AsyncGenerator<DetailRow> {
  const priced = pricing(deps)
  for (const line of await linesOf(deps.database, document.id)) {
    if (line.service === null || line.charge === null) yield wholeLine(line)
    else
      for await (const booked of recordsOfLine(deps.database, { tenant: document.tenant, line }))
        yield usageRow(line, booked, await priced(booked))
  }
}

export interface LineRecord extends BookedRecord {
  /** Where reading goes on after this one. */
  readonly cursor: string
}

/** The requests that a line bills: those in its part of the chain, from the beginning or after a cursor. */
export async function* recordsOfLine(
  db: Queryable,
  { tenant, line, after: cursor }: { tenant: string; line: FiledLine; after?: string | undefined },
): AsyncGenerator<LineRecord> {
  const period = periodOfKey('month', line.period)
  // A fee or a credit has no requests behind it.
  if (!period || line.service === null) return
  const [, seq, id] = /^(\d{1,15})\.(.{1,200})$/.exec(cursor ?? '') ?? []
  let afterSeq = Math.max(line.fromSeq, Number(seq ?? 0))
  let start = id
  for (;;) {
    const range = { fromDay: `${line.period}-01`, toDay: `${line.period}-31` }
    const postings = await postingsOf(db, {
      payer: tenant,
      ...range,
      afterSeq,
      throughSeq: line.toSeq,
      limit: POSTINGS,
    })
    const last = postings.at(-1)
    if (!last) return
    const query = {
      postingIds: postings.map(({ postingId }) => postingId),
      payer: tenant,
      service: line.service,
      ...(line.sheet === null ? {} : { sheet: line.sheet }),
      ...{ fromMs: period.fromMs, toMs: period.toMs, limit: RECORDS },
    }
    for (let after = start; ;) {
      const page = await bookedRecords(db, { ...query, ...(after === undefined ? {} : { after }) })
      const from = afterSeq
      yield* page.map((booked) => ({ ...booked, cursor: `${from}.${booked.record.id}` }))
      after = page.at(-1)?.record.id
      if (page.length < RECORDS) break
    }
    const from = afterSeq
    const done = start?.startsWith(CORRECTED) ? { after: start.slice(CORRECTED.length) } : {}
    // A correction has a posting of its own, so there are no more than postings.
    const corrections = await bookedCorrections(db, { ...query, ...done, limit: POSTINGS })
    yield* corrections.map((booked) => ({ ...booked, cursor: `${from}.${CORRECTED}${booked.correction ?? ''}` }))
    start = undefined
    afterSeq = last.seq
  }
}

function wholeLine(line: FiledLine): DetailRow {
  const kind = line.charge === null ? 'credit' : 'fee'
  const amountPico = line.charge === null ? fenToPico(line.grossFen) : line.grossPico
  const none = { booked: null, covered: NO_TOKENS, prices: null, reservationPico: 0n, giftPico: 0n, creditPico: 0n }
  return { ...none, line, kind, amountPico, billedPico: amountPico }
}

function usageRow(line: FiledLine, booked: BookedRecord, prices: TokenPrices | null): DetailRow {
  const { record, sellPico: amountPico, giftPico, creditPico } = booked
  const billedPico = amountPico - giftPico
  // A correction changes the amount and repeats nothing of the request.
  if (booked.correction !== null) {
    const none = { covered: NO_TOKENS, prices: null, reservationPico: 0n }
    return { ...none, line, kind: 'correction', booked, amountPico, giftPico, billedPico, creditPico }
  }
  return {
    ...{ line, kind: 'usage', booked, prices, amountPico, giftPico, billedPico, creditPico },
    covered: coveredTokens(record.draws ?? []),
    reservationPico: reservationMoney(record.draws ?? []),
  }
}

type Draws = NonNullable<BookedRecord['record']['draws']>

function coveredTokens(draws: Draws): TokenCounts {
  const sum = (name: TokenClass) => draws.reduce((total, draw) => total + (draw.covered?.[name] ?? 0), 0)
  return {
    uncachedInput: sum('uncachedInput'),
    cacheWrite: sum('cacheWrite'),
    cacheRead: sum('cacheRead'),
    output: sum('output'),
    reasoning: sum('reasoning'),
  }
}

function reservationMoney(draws: Draws): bigint {
  return draws
    .filter((draw) => draw.kind === 'throughput' && draw.covered === null)
    .reduce((total, draw) => total + BigInt(draw.amount), 0n)
}

/** The prices that a record was rated by; null where they cannot be told any more (the amount is still exact). */
function pricing({ sheetById, calendars }: DetailDeps): (booked: BookedRecord) => Promise<TokenPrices | null> {
  const sheets = new Map<string, ReturnType<typeof parsePriceSheet> | null>()
  let known: Calendars | undefined
  return async ({ record }) => {
    known ??= await calendars()
    if (!sheets.has(record.sellSheet)) {
      const found = await sheetById(record.sellSheet)
      sheets.set(record.sellSheet, found ? parsePriceSheet(found) : null)
    }
    const sheet = sheets.get(record.sellSheet)
    const { uncachedInput, cacheWrite, cacheRead } = record.tokens
    const inputTokens = totalTokens({ ...NO_TOKENS, uncachedInput, cacheWrite, cacheRead })
    const moment = { tier: record.tier ?? ('standard' as const), atMs: record.acceptedAtMs, inputTokens }
    return (sheet && pricesFor(sheet, moment, known)?.prices) ?? null
  }
}
