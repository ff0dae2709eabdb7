import type { ClassPrices, ConversionTable, OfferView } from '#contract'
import { parseUnits, reservationTableId } from '#kernel'

/**
 * The conversion tables by which reservations count tokens. They come with the offer and, like it, never change, so one version
 * lasts for ever.
 */
export function tablesOf({ id, name, createdAtMs, offer }: OfferView): ConversionTable[] {
  const table = (dimension: string, services: readonly string[], weights: ClassPrices): ConversionTable => {
    const table = reservationTableId(id, dimension)
    return {
      id: table,
      displayName: name,
      versions: [
        {
          id: `${table}@${createdAtMs}`,
          validFromMs: 0,
          validToMs: null,
          weights: services.map((service) => ({ service, weights })),
        },
      ],
    }
  }
  if (offer.kind === 'provisioned') {
    const { uncachedInputUnits, cacheWriteUnits, cacheReadUnits, outputUnits, reasoningUnits } = offer.burndown
    const weights = {
      uncachedInput: `${parseUnits(uncachedInputUnits)}`,
      cacheWrite: `${parseUnits(cacheWriteUnits)}`,
      cacheRead: `${parseUnits(cacheReadUnits)}`,
      output: `${parseUnits(outputUnits)}`,
      reasoning: `${parseUnits(reasoningUnits)}`,
    }
    return [table('ptu', offer.services, weights)]
  }
  if (offer.kind !== 'throughput-tpm') return []
  const cacheRead = offer.cachedInput === 'counted' ? ONE : '0'
  return [
    ...(offer.input
      ? [table('in', offer.services, { ...NOTHING, uncachedInput: ONE, cacheWrite: ONE, cacheRead })]
      : []),
    ...(offer.output ? [table('out', offer.services, { ...NOTHING, output: ONE, reasoning: ONE })] : []),
  ]
}

const ONE = '1000000'
const NOTHING: ClassPrices = { uncachedInput: '0', cacheWrite: '0', cacheRead: '0', output: '0', reasoning: '0' }
