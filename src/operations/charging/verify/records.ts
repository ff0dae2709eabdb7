import type { UsageRecord } from '#contract'
import { netOfTax, parsePriceSheet, parseTokenPrices, pico, pricesFor, rate, TOKEN_CLASSES, totalTokens } from '#kernel'
import type { Calendars, PricedSheet, TokenCounts, TokenPrices } from '#kernel'
import { openCheck } from '#ledger'
import type { CheckResult } from '#ledger'
import type { Queryable } from '#platform/postgres'
import type { FiledSheet, RatingSources, SheetById, WeightsOf } from '../charging.ts'
import { ownerOfTokens, walletOf } from '../bucket/model.ts'
import { taxOn } from '../ingest/burn.ts'
import type { BurnColumns } from '../ingest/burn.ts'
import { canonicalJson, contentHashOf } from '../ingest/fingerprint.ts'
import { columnsOf, flawOf, payerOf } from '../ingest/model.ts'
import type { RecordColumns } from '../ingest/model.ts'
import type { Lot } from '../lots/model.ts'
import { lotsById } from '../lots/store.ts'
import { isBilled } from '../model.ts'
import type { Beat } from './progress.ts'
import { columnsOfRecord, columnsText, recordsAfter } from './store.ts'
import type { StoredRecord } from './store.ts'

const PAGE = 1000

/**
 * A gateway that hears nothing of the control plane goes on with the sheets it knows for as long as its slices last. Prices that
 * begin are known before, so there is no such allowance for the beginning.
 */
const LATE_NEWS_MS = 600_000

interface RatedSheet extends FiledSheet {
  readonly priced: PricedSheet
}

/** What records are rated by. */
interface Tariffs {
  readonly sheet: (id: string) => Promise<RatedSheet | undefined>
  readonly weights?: WeightsOf | undefined
  readonly calendars?: Calendars | undefined
}

/**
 * Every record is what was ingested (its content has its hash, its columns say what it says), keeps the rules for records, and
 * costs what its tokens cost by the sheets it names.
 */
export async function checkRecords(
  db: Queryable,
  { sheetById, weights, calendars }: RatingSources,
  beat: Beat,
): Promise<CheckResult> {
  const check = openCheck(
    sheetById ? 'every usage record is unaltered and rated by its sheets' : 'every usage record is unaltered',
  )
  const tariffs = sheetById && { sheet: cached(sheetById), weights, calendars }
  let done = 0
  // The next page is on its way while this one is looked at.
  let next = recordsAfter(db, { id: '', limit: PAGE })
  for (;;) {
    const page = await next
    const last = page.at(-1)
    if (!last) return check.result()
    const lots = new Map(
      (await lotsById(db, [...new Set(page.flatMap(({ burn }) => burn.lots ?? []))])).map((lot) => [lot.id, lot]),
    )
    next = recordsAfter(db, { id: last.id, limit: PAGE })
    // It is waited for in the next round; a failure must not be nobody's until then.
    next.catch(() => {})
    for (const stored of page) {
      check.see()
      const flaw = await flawOfStored(db, stored, { lots, tariffs })
      if (flaw) check.disagree(`record ${stored.id}: ${flaw}`)
    }
    beat((done += page.length))
  }
}

async function flawOfStored(
  db: Queryable,
  stored: StoredRecord,
  { lots, tariffs }: { lots: ReadonlyMap<string, Lot>; tariffs: Tariffs | undefined },
): Promise<string | undefined> {
  const { id, text, contentHash, burn } = stored
  const record = JSON.parse(text) as UsageRecord
  // What was hashed is the canonical text, which is what is kept since 0020.
  const isHashed = contentHashOf(text) === contentHash
  if (!isHashed && contentHashOf(canonicalJson(record)) !== contentHash) return 'content does not match its hash'
  if (record.id !== id) return `filed under the id of another record, ${record.id}`
  return (
    (await alterationOf(db, stored, columnsOf(record))) ??
    flawOf({ record, text, contentHash }, record.gateway) ??
    misburnOf({ record, burn }, lots) ??
    (tariffs && (await misratingOf(record, tariffs)))
  )
}

async function alterationOf(db: Queryable, stored: StoredRecord, expected: RecordColumns): Promise<string | undefined> {
  const { draws, attemptCosts } = stored
  if (draws === expected.draws && attemptCosts === expected.attemptCosts && stored.columns === columnsText(expected))
    return undefined
  const columns = { draws, attemptCosts, ...(await columnsOfRecord(db, stored.id)) }
  for (const name of Object.keys(expected) as (keyof RecordColumns)[]) {
    if (expected[name] !== columns[name])
      return `column ${name} is ${String(columns[name])}, the record says ${String(expected[name])}`
  }
  return undefined
}

/**
 * What a record burned covers what it says it took: the price by lots of the payer's wallet, credit and an overrun, and each draw
 * of tokens by lots of that bucket.
 */
export function misburnOf(
  { record, burn }: { readonly record: UsageRecord; readonly burn: BurnColumns },
  lots: ReadonlyMap<string, Pick<Lot, 'bucket' | 'source'>>,
): string | undefined {
  const sell = BigInt(record.sellPico)
  const [credit, overrun] = [burn.creditPico ?? 0n, burn.overrunPico ?? 0n]
  // Before there were lots, everything was paid from the wallet as a whole.
  const isOld = burn.lots === null && sell > 0n && credit === 0n && overrun === 0n
  if (isOld && !record.draws) return undefined
  if (isPaidByOneLot({ record, burn }, lots)) return undefined
  const taken = new Map<string, bigint>()
  let gift = 0n
  const wallet = walletOf(payerOf(record))
  for (const [index, id] of (burn.lots ?? []).entries()) {
    const [lot, amount] = [lots.get(id), burn.lotAmounts?.[index]]
    if (!lot || amount === undefined) return `burned lot ${id}, which is unknown`
    taken.set(lot.bucket, (taken.get(lot.bucket) ?? 0n) + amount)
    if (lot.bucket === wallet && lot.source !== 'paid') gift += amount
  }
  if (gift !== (burn.giftPico ?? 0n)) return `${burn.giftPico ?? 0n} from gifts, its lots of gifts gave ${gift}`
  const tax = BigInt(record.taxPico)
  const due = gift === 0n ? tax : taxOn(sell - gift, { sell, tax })
  if ((burn.bookedTaxPico ?? tax) !== due) return `books a tax of ${burn.bookedTaxPico ?? tax}, it should be ${due}`
  const needed = new Map([[wallet, sell - credit - overrun]])
  for (const draw of record.draws ?? [])
    if (draw.kind === 'tokens') needed.set(draw.bucket, (needed.get(draw.bucket) ?? 0n) + BigInt(draw.amount))
  for (const bucket of new Set([...needed.keys(), ...taken.keys()]))
    if ((needed.get(bucket) ?? 0n) !== (taken.get(bucket) ?? 0n))
      return `took ${needed.get(bucket) ?? 0n} of ${bucket}, lots of it gave ${taken.get(bucket) ?? 0n}`
  return undefined
}

/** What nearly every record is, told without the sums: the whole price is from one lot of paid money. */
function isPaidByOneLot(
  { record, burn }: { readonly record: UsageRecord; readonly burn: BurnColumns },
  lots: ReadonlyMap<string, Pick<Lot, 'bucket' | 'source'>>,
): boolean {
  if (record.draws || burn.lots?.length !== 1 || burn.lotAmounts?.length !== 1) return false
  const { giftPico, creditPico, overrunPico, bookedTaxPico } = burn
  if (giftPico !== null || creditPico !== null || overrunPico !== null || bookedTaxPico !== null) return false
  const lot = lots.get(burn.lots[0] ?? '')
  return (
    lot?.source === 'paid' && lot.bucket === walletOf(payerOf(record)) && burn.lotAmounts[0] === BigInt(record.sellPico)
  )
}

/**
 * A tenant pays tokens × price for what no draw covered, and no more than the hold that it was admitted with. The supplier is owed
 * tokens × price whoever pays. No tokens cost nothing by any sheet, so a record of none needs no sheet.
 */
export async function misratingOf(
  record: UsageRecord,
  { sheet: lookup, weights, calendars = new Map() }: Tariffs,
): Promise<string | undefined> {
  const [hold, sell, tax] = [BigInt(record.holdPico), BigInt(record.sellPico), BigInt(record.taxPico)]
  const free = totalTokens(record.tokens) === 0
  const tokens = record.attempts.at(-1)?.tokens
  const bought = tokens ? { ...record, tokens } : record
  const boughtAmiss =
    (await misbuyOf(record, bought, { sheet: lookup, calendars })) ??
    (await misboughtAttempt(record, { sheet: lookup, calendars }))
  if (boughtAmiss) return boughtAmiss
  if (!isBilled(record.ending) || free)
    return sell === 0n && tax === 0n ? undefined : `sells for ${sell}, tax ${tax}, though nothing is billed`
  const rest = await uncovered(record, weights)
  if (typeof rest === 'string') return rest
  const sellSheet = await lookup(record.sellSheet)
  if (!sellSheet) return `sell sheet ${record.sellSheet} is unknown`
  const soldAmiss = misfitOf(record, record, 'sell', sellSheet)
  if (soldAmiss) return `sell sheet ${record.sellSheet} ${soldAmiss}`
  const prices = pricesOf(record, record.tokens, { sheet: sellSheet, calendars })
  if (!prices) return `sell sheet ${record.sellSheet} names a calendar that is unknown`
  const reserved = moneyDraws(record)
  const price = pico(rate(rest, prices) - reserved)
  if (price < 0n) return `reservations paid ${reserved}, more than its tokens cost`
  const due = price < hold ? price : pico(hold)
  if (sell !== due) return `sells for ${sell}, its tokens cost ${due} by sheet ${record.sellSheet}`
  if (tax !== due - netOfTax(due, sellSheet.taxPercent)) return `tax ${tax} is not ${sellSheet.taxPercent} % of ${sell}`
  return undefined
}

type Bought = Pick<UsageRecord, 'supplier' | 'model' | 'buySheet' | 'tokens' | 'buyPico'>

/** Why a supplier is not owed what its tokens cost by the sheet that is named, if it is not. No tokens cost nothing by any sheet. */
async function misbuyOf(
  record: UsageRecord,
  bought: Bought,
  { sheet: lookup, calendars = new Map() }: Tariffs,
): Promise<string | undefined> {
  const { buySheet, tokens, buyPico } = bought
  const free = totalTokens(tokens) === 0
  const sheet = await lookup(buySheet)
  if (!sheet && !free) return `buy sheet ${buySheet} is unknown`
  const amiss = sheet && !free && misfitOf(record, bought, 'buy', sheet)
  if (amiss) return `buy sheet ${buySheet} ${amiss}`
  const prices = sheet && pricesOf(record, tokens, { sheet, calendars })
  if (sheet && !prices) return `buy sheet ${buySheet} names a calendar that is unknown`
  const owed = prices && !free ? rate(tokens, prices) : 0n
  return BigInt(buyPico) === owed ? undefined : `buys for ${buyPico}, its tokens cost ${owed} by sheet ${buySheet}`
}

/** What attempts that did not serve cost is rated like everything else. */
async function misboughtAttempt(record: UsageRecord, tariffs: Tariffs): Promise<string | undefined> {
  for (const [index, { supplier, model, buyPico, buySheet, tokens }] of record.attempts.entries()) {
    if (buyPico === undefined) continue
    if (index === record.attempts.length - 1) return `its last attempt states a cost beside the record's`
    if (tokens === undefined || buySheet === undefined)
      return `attempt ${index} costs ${buyPico} for nothing that it states`
    const amiss = await misbuyOf(record, { supplier, model, buySheet, tokens, buyPico }, tariffs)
    if (amiss) return `attempt ${index} ${amiss}`
  }
  return undefined
}

function pricesOf(
  record: UsageRecord,
  { uncachedInput, cacheWrite, cacheRead }: TokenCounts,
  { sheet, calendars }: { readonly sheet: RatedSheet; readonly calendars: Calendars },
): TokenPrices | undefined {
  const inputTokens = uncachedInput + cacheWrite + cacheRead
  return pricesFor(sheet.priced, { tier: record.tier ?? 'standard', atMs: record.acceptedAtMs, inputTokens }, calendars)
    ?.prices
}

/** What reservations in money paid of the price. */
function moneyDraws({ draws = [] }: UsageRecord): bigint {
  return draws.reduce(
    (sum, { kind, version, amount }) => (kind === 'throughput' && version === null ? sum + BigInt(amount) : sum),
    0n,
  )
}

/** The tokens that are left to be paid in money after the draws in units; or what is wrong with those. */
async function uncovered(record: UsageRecord, weights: WeightsOf | undefined): Promise<TokenCounts | string> {
  const rest = { ...record.tokens }
  for (const { kind, bucket, amount, covered, version } of record.draws ?? []) {
    if (kind === 'cap' || (kind === 'throughput' && version === null)) {
      if (covered) return `draw on ${bucket} covers tokens, though it is money`
      continue
    }
    if (!covered || version === null) return `draw on ${bucket} does not say what it covers`
    for (const name of TOKEN_CLASSES) {
      rest[name] -= covered[name]
      if (rest[name] < 0) return `draws cover more ${name} than there were`
    }
    const table = ownerOfTokens(bucket)?.table
    const terms = weights && (await weights(version, record.service))
    if (weights && !terms) return `conversion table ${version} is unknown for ${record.service}`
    if (terms && table !== undefined && terms.table !== table) return `draws on ${bucket} by the table ${terms.table}`
    if (
      terms &&
      (record.acceptedAtMs < terms.validFromMs || record.acceptedAtMs >= (terms.validToMs ?? Infinity) + LATE_NEWS_MS)
    )
      return `conversion table ${version} was not in force`
    const units = terms && rate(covered, parseTokenPrices(terms.weights))
    if (units !== undefined && units !== BigInt(amount))
      return `draws ${amount} from ${bucket}, what it covers weighs ${units}`
  }
  return rest
}

/** Why a sheet is not the one that this record is priced by, if it is not: a right product of a wrong price is still wrong. */
function misfitOf(
  record: UsageRecord,
  { supplier, model }: Pick<UsageRecord, 'supplier' | 'model'>,
  side: 'sell' | 'buy',
  sheet: RatedSheet,
): string | undefined {
  if (sheet.side !== side) return `is a ${sheet.side} sheet`
  if (sheet.service !== record.service) return `prices ${sheet.service}, not ${record.service}`
  if (side === 'buy' && (sheet.supplier !== supplier || sheet.model !== model))
    return `prices ${sheet.model ?? 'nothing'} of ${sheet.supplier ?? 'nobody'}, not ${model} of ${supplier}`
  const { acceptedAtMs } = record
  if (acceptedAtMs < sheet.validFromMs) return 'was not in force yet when the request was accepted'
  if (sheet.validToMs !== null && acceptedAtMs >= sheet.validToMs + LATE_NEWS_MS)
    return 'was no longer in force when the request was accepted'
  return undefined
}

function cached(sheetById: SheetById): (id: string) => Promise<RatedSheet | undefined> {
  const sheets = new Map<string, RatedSheet | undefined>()
  return async (id) => {
    if (!sheets.has(id)) {
      const sheet = await sheetById(id)
      sheets.set(id, sheet && { ...sheet, priced: parsePriceSheet(sheet) })
    }
    return sheets.get(id)
  }
}
