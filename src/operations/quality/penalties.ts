import type { UsageRecord } from '#contract'
import { PICO_PER_FEN, periodOfKey } from '#kernel'
import type { TokenPrices } from '#kernel'
import type { Queryable } from '#platform/postgres'
import type { AuditCase } from './audit/model/case.ts'
import { factOf } from './audit/model/facts.ts'
import { payableTokens } from './audit/model/payment.ts'
import { claimBasis } from './audit/payment.ts'
import type { AuditTermsOf } from './audit/service.ts'
import { recordPages } from './sli/records.ts'
import { readCases } from './store/audit-cases.ts'
import { factSpan } from './store/audit-facts.ts'
import { readCredits, readReports } from './store/sla.ts'

/** What settlement takes off what a supplier is paid, once somebody there has approved it. Whole fen, rounded in the supplier's favour. */
export interface SupplierPenalty {
  readonly id: string
  readonly kind: 'sla' | 'audit'
  readonly amountPico: bigint
  readonly reason: string
  readonly evidence: string | null
}

/** What a supplier's tokens of a request cost us; undefined: no sheet says so. */
export type BuyPricesOf = (record: UsageRecord) => Promise<TokenPrices | undefined>

interface Deps {
  readonly auditTermsOf: AuditTermsOf
  /** Asked once for all records of a month. */
  readonly buyPrices: () => Promise<BuyPricesOf>
}

/** Penalties of a month that two people approved here, and what upheld cases take off its claims. */
export async function penaltiesOf(
  db: Queryable,
  { supplier, period }: { supplier: string; period: string },
  deps: Deps,
): Promise<SupplierPenalty[]> {
  const [report] = await readReports(db, { period, leg: 'supplier', party: supplier })
  const approved = await readCredits(db, { leg: 'supplier', party: supplier, period, state: 'approved' })
  const penalties = approved.map(({ id, netPico, ppm, service, tier }): SupplierPenalty => {
    const reason = `${service} ${tier}: ${ppm / 10_000} % of the month`
    return { id, kind: 'sla', amountPico: wholeFen(netPico), reason, evidence: report?.hash ?? null }
  })
  const month = periodOfKey('month', period)
  const upheld = (await readCases(db, { supplier })).filter(({ state }) => state === 'upheld' || state === 'closed')
  for (const one of month ? upheld : []) {
    const amountPico = wholeFen(await overclaimed(db, one, month ?? { fromMs: 0, toMs: 0 }, deps))
    const reason = `${one.model}, ${one.side}: claims above our counts`
    penalties.push({ id: `audit-${one.id}-${period}`, kind: 'audit', amountPico, reason, evidence: one.id })
  }
  return penalties.filter(({ amountPico }) => amountPico > 0n)
}

const wholeFen = (amountPico: bigint): bigint => (amountPico / PICO_PER_FEN) * PICO_PER_FEN

/**
 * What claims were above our counts and their tolerance, of the requests of a case in a span of time that we owe by the claim: exactly
 * where we counted, by the mean of those elsewhere. Excess input is taken at the price of input that no cache held.
 */
async function overclaimed(
  db: Queryable,
  { supplier, model, side, epoch, id, settings }: AuditCase,
  month: { fromMs: number; toMs: number },
  { auditTermsOf, buyPrices }: Deps,
): Promise<bigint> {
  const span = await factSpan(db, { supplier, model, side, epoch })
  if (!span) return 0n
  const [fromMs, toMs] = [Math.max(span.fromMs, month.fromMs), Math.min(span.toMs, month.toMs)]
  const basis = fromMs < toMs ? await claimBasis(db, { supplier, model, fromMs, toMs }, auditTermsOf) : undefined
  if (basis?.payOn !== 'counted') return 0n
  const payablePpm = basis.sides.find((each) => each.case === id)?.payablePpm ?? 1_000_000
  const pricesOf = await buyPrices()
  let amount = 0n
  for await (const records of recordPages(db, {
    leg: 'supplier',
    party: supplier,
    fromMs: month.fromMs,
    toMs: month.toMs,
  })) {
    for (const record of records) {
      const isMeant = record.supplier === supplier && record.model === model && record.basis === 'reported'
      if (!isMeant || record.completedAtMs < fromMs || record.completedAtMs >= toMs) continue
      const { uncachedInput, cacheWrite, cacheRead, output } = record.tokens
      const claimed = side === 'output' ? output : uncachedInput + cacheWrite + cacheRead
      const counted = factOf(record)?.[side]
      const payable = counted
        ? payableTokens({ ...counted, slack: settings.slack })
        : Math.ceil((claimed * payablePpm) / 1_000_000)
      const prices = claimed > payable ? await pricesOf(record) : undefined
      if (prices) amount += BigInt(claimed - payable) * (side === 'output' ? prices.output : prices.uncachedInput)
    }
  }
  return amount
}
