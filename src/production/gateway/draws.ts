import type { Draw } from '#contract'
import { NO_TOKENS, formatUnits, formatYuan, unreachable } from '#kernel'
import type { MeansHold, Share } from '#metering'
import type { HeldPart } from './fund.ts'

/** What settling must know of the parts: caps pay nothing. */
export function meansOf(parts: readonly HeldPart[]): readonly MeansHold[] {
  return parts.flatMap((part): MeansHold[] => {
    switch (part.kind) {
      case 'tokens':
      case 'throughput':
        return [
          {
            kind: 'units',
            held: part.hold.amount,
            weights: part.unit.conversion.weights,
            classes: part.unit.classes,
          },
        ]
      case 'reserved_money':
        return [{ kind: 'money', held: part.hold.amount }]
      case 'cap':
        return []
      default:
        return unreachable(part)
    }
  })
}

/** Draws of nothing: what the journal knows of a request under way. */
export function openingDraws(parts: readonly HeldPart[]): readonly Draw[] {
  return parts.map((part) => drawOf(part, { amount: 0n, covered: 'unit' in part ? NO_TOKENS : null }))
}

/** The draws of a record: `shares` in the order of `meansOf`, and for every cap what the wallet pays. */
export function settledDraws(parts: readonly HeldPart[], shares: readonly Share[], sellPico: bigint): readonly Draw[] {
  let next = 0
  return parts.map((part) => {
    const share = part.kind === 'cap' ? { amount: sellPico, covered: null } : shares[next++]
    if (!share) throw new RangeError(`no share for ${part.bucket}`)
    return drawOf(part, share)
  })
}

function drawOf(part: HeldPart, { amount, covered }: Share): Draw {
  return {
    kind: part.kind === 'reserved_money' ? 'throughput' : part.kind,
    bucket: part.bucket,
    slice: part.hold.slice ?? '',
    held: part.hold.amount.toString(),
    amount: amount.toString(),
    version: 'unit' in part ? part.unit.conversion.version : null,
    covered: covered && { ...covered },
  }
}

/** What was paid beside the wallet, by unit: `CNY` for reserved money, else a conversion table. Decimal, in whole units. */
export function debitsOf(parts: readonly HeldPart[], draws: readonly Draw[]): ReadonlyMap<string, string> {
  const amounts = new Map<string, bigint>()
  parts.forEach((part, i) => {
    const amount = BigInt(draws[i]?.amount ?? '0')
    if (part.kind === 'cap' || amount === 0n) return
    const unit = 'unit' in part ? part.unit.conversion.table : 'CNY'
    amounts.set(unit, (amounts.get(unit) ?? 0n) + amount)
  })
  return new Map(
    [...amounts].map(([unit, amount]) => [unit, unit === 'CNY' ? formatYuan(amount) : formatUnits(amount)]),
  )
}
