import { TOKEN_CLASSES, formatPricePerMillion, formatUnits, formatYuan } from '#kernel'
import type { Tier, TokenPrices } from '#kernel'
import type { Caller, OfferedService } from './directory.ts'
import { planFunding } from './funding.ts'
import type { Step, UnitPart } from './funding.ts'
import { dearestOf, moneyBound } from './pricing.ts'
import type { Sheet, TokenBounds } from './pricing.ts'

/** What a request would cost, by the same functions that hold and charge for it. */
export function renderPreview(asked: {
  readonly caller: Caller
  readonly service: OfferedService
  readonly sheet: Sheet
  readonly tier: Tier
  readonly atMs: number
  readonly bounds: TokenBounds
}): string {
  const { caller, service, sheet, tier, atMs, bounds } = asked
  const most = moneyBound(sheet, { tier, atMs }, bounds)
  const { inputBound, outputBound } = bounds
  const { funding } = caller
  const steps: readonly Step[] = funding
    ? planFunding(funding, { service: service.id, atMs, inputBound, outputBound })
    : [{ kind: 'wallet', id: caller.wallet, bucket: caller.wallet, payer: caller.tenant }]
  return JSON.stringify({
    object: 'factory.price',
    model: service.id,
    tier,
    sheet: sheet.id,
    taxPercent: sheet.taxPercent,
    bound: { inputTokens: inputBound, outputTokens: outputBound },
    // Per class the dearest of the variants that may apply: which one does is known with the real length of the input.
    yuanPerMillionAtMost: perMillion(dearestOf(sheet, { tier, atMs }, inputBound)),
    atMost: { chargePico: most.toString(), chargeYuan: formatYuan(most) },
    means: steps.map((step) => renderStep(step, most)),
  })
}

function renderStep(step: Step, most: bigint): object {
  switch (step.kind) {
    case 'wallet':
      return { kind: 'wallet', payer: step.payer, yuanAtMost: formatYuan(most) }
    case 'tokens':
      return { kind: 'tokens', id: step.id, ...renderUnits(step.part) }
    case 'units':
      return { kind: 'throughput', id: step.id, overflow: step.overflow, dimensions: step.parts.map(renderUnits) }
    case 'money':
      return { kind: 'throughput', id: step.id, overflow: step.overflow, yuanAtMost: formatYuan(most) }
  }
}

function renderUnits({ conversion: { table, version }, amount }: UnitPart): object {
  return { table, version, unitsAtMost: formatUnits(amount) }
}

export function perMillion(prices: TokenPrices): Readonly<Record<string, string>> {
  return Object.fromEntries(TOKEN_CLASSES.map((name) => [name, formatPricePerMillion(prices[name])]))
}
