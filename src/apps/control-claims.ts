import type { Catalogue } from '#catalogue'
import type { Charging } from '#charging'
import { PICO_PER_FEN, periodOfKey } from '#kernel'
import type { Quality } from '#quality'
import type { PenaltyProposal } from '#settlement'

/**
 * What the token audit takes off a month's claim: the output tokens that were claimed, at their price, less what our counts leave of
 * them. In whole fen, rounded down. A price that depends on more than the token is not taken apart: then nothing is proposed here,
 * and the case's evidence is for people.
 */
export async function auditDiscounts(
  { charging, catalogue, quality }: { charging: Charging; catalogue: Catalogue; quality: Quality },
  { supplier, period: key }: { readonly supplier: string; readonly period: string },
): Promise<PenaltyProposal[]> {
  const period = periodOfKey('month', key)
  if (!period) return []
  const proposals: PenaltyProposal[] = []
  for (const { model, buySheet, output } of await charging.boughtOutput({ supplier, ...period })) {
    const basis = await quality.claimBasis({ supplier, model, fromMs: period.fromMs, toMs: period.toMs })
    const side = basis.payOn === 'counted' ? basis.sides.find((each) => each.side === 'output') : undefined
    const sheet = side && (await catalogue.sheet(buySheet))
    if (!sheet || (sheet.variants ?? []).length > 0) continue
    const claimed = BigInt(output) * BigInt(sheet.prices.output)
    const taken = (claimed * BigInt(1_000_000 - Math.min(1_000_000, side.payablePpm))) / 1_000_000n
    const amountPico = (taken / PICO_PER_FEN) * PICO_PER_FEN
    if (amountPico === 0n) continue
    const share = (1_000_000 - side.payablePpm) / 10_000
    proposals.push({
      id: `audit-${side.case}-${key}-${proposals.length + 1}`,
      kind: 'audit',
      amountPico,
      reason: `our counts of ${side.requests} answers of ${model} leave ${share.toFixed(2)} % of the claimed output unpaid`,
      evidence: side.case,
    })
  }
  return proposals
}
