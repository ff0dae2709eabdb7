import { hash } from 'node:crypto'
import type { FeeFact, UsageCell } from '#charging'
import { chinaDate, divideHalfUp, netOfTax, pico } from '#kernel'
import type { Charge, ChargeSums } from '../model/lines.ts'

/** A cell and the tax rate of its price sheet. */
export interface TaxedCell extends UsageCell {
  readonly taxPercent: number
}

export interface ChargeMove {
  readonly charge: Charge
  readonly sums: ChargeSums
}

export function usageChargeId({ payer, period, service, sheet, taxPercent }: UsageKey): string {
  return `chg_${hash('sha256', JSON.stringify(['usage', payer, period, service, sheet, taxPercent]), 'hex').slice(0, 32)}`
}

export function feeChargeId(reference: string): string {
  return `chg_${hash('sha256', JSON.stringify(['fee', reference]), 'hex').slice(0, 32)}`
}

interface UsageKey {
  readonly payer: string
  readonly period: string
  readonly service: string
  readonly sheet: string
  readonly taxPercent: number
}

/** What fees add to their charges. A refund comes after its fee in the chain, so it only adds to a charge that is there. */
export function feeMoves(fees: readonly (FeeFact & { readonly memo: string })[]): ChargeMove[] {
  const moves = new Map<string, ChargeMove>()
  for (const fee of fees) {
    const id = feeChargeId(fee.reference)
    const before = moves.get(id)
    const { grossPico, creditPico, taxPico } = fee
    const charge: Charge = {
      kind: 'fee',
      ...{ id, tenant: fee.tenant, description: fee.memo, service: null, sheet: null },
      ...{ period: chinaDate(fee.bookedAtMs).slice(0, 7), taxPercent: rateOf(grossPico, taxPico) },
    }
    const sums = addSums(before?.sums, { grossPico, creditPico, taxPico, requests: 1, tokens: 0n })
    moves.set(id, { charge: before?.charge ?? charge, sums })
  }
  return [...moves.values()].toSorted((a, b) => (a.charge.id < b.charge.id ? -1 : 1))
}

/** The rate that a fee was taxed at: the lowest whole percentage that gives its tax. */
function rateOf(grossPico: bigint, taxPico: bigint): number {
  for (let percent = 0; percent <= 100; percent++)
    if (grossPico - netOfTax(pico(grossPico), percent) === taxPico) return percent
  return 0
}

/** The whole percentage nearest to the tax that was posted; between 0 and 100. */
export function postedRate({ sellPico, giftPico, taxPico }: UsageCell): number {
  const netPico = sellPico - giftPico - taxPico
  if (netPico <= 0n || taxPico <= 0n) return 0
  const percent = divideHalfUp(taxPico * 100n, netPico)
  return percent > 100n ? 100 : Number(percent)
}

/** What cells add to the charges that they belong to. A gift is no sale. */
export function chargeMoves(cells: readonly TaxedCell[]): ChargeMove[] {
  const moves = new Map<string, ChargeMove>()
  for (const cell of cells) {
    const { payer, service, sheet, taxPercent } = cell
    const period = cell.day.slice(0, 7)
    const id = usageChargeId({ payer, period, service, sheet, taxPercent })
    const before = moves.get(id)
    const charge = {
      id,
      tenant: payer,
      kind: 'usage',
      period,
      description: service,
      service,
      sheet,
      taxPercent,
    } as const
    moves.set(id, {
      charge,
      sums: addSums(before?.sums, {
        grossPico: cell.sellPico - cell.giftPico,
        creditPico: cell.creditPico,
        taxPico: cell.taxPico,
        requests: cell.requests,
        tokens: cell.tokens,
      }),
    })
  }
  return [...moves.values()].toSorted((a, b) => (a.charge.id < b.charge.id ? -1 : 1))
}

export function addSums(a: ChargeSums | undefined, b: ChargeSums): ChargeSums {
  if (!a) return b
  return {
    grossPico: a.grossPico + b.grossPico,
    creditPico: a.creditPico + b.creditPico,
    taxPico: a.taxPico + b.taxPico,
    requests: a.requests + b.requests,
    tokens: a.tokens + b.tokens,
  }
}

/** Cells of one day, summed over postings. */
export function dayCells(cells: readonly TaxedCell[]): TaxedCell[] {
  const days = new Map<string, TaxedCell>()
  for (const cell of cells) {
    const key = JSON.stringify([cell.payer, cell.day, cell.tenant, cell.service, cell.sheet, cell.taxPercent])
    const before = days.get(key)
    days.set(
      key,
      before
        ? {
            ...cell,
            requests: before.requests + cell.requests,
            tokens: before.tokens + cell.tokens,
            sellPico: before.sellPico + cell.sellPico,
            giftPico: before.giftPico + cell.giftPico,
            creditPico: before.creditPico + cell.creditPico,
            taxPico: before.taxPico + cell.taxPico,
            buyPico: before.buyPico + cell.buyPico,
          }
        : cell,
    )
  }
  return [...days.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, cell]) => cell)
}
