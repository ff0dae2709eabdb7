import type { Agreements } from '#agreements'
import { createBilling } from '#billing'
import type { Billing } from '#billing'
import type { Catalogue } from '#catalogue'
import type { Charging } from '#charging'
import type { Identity } from '#identity'
import { PICO_PER_FEN, periodOfKey } from '#kernel'
import type { Clock } from '#platform/clock'
import type { Quality } from '#quality'
import type { Database } from '#platform/postgres'
import { createSettlement } from '#settlement'
import type { PenaltyProposal, Settlement } from '#settlement'

interface Rooms {
  readonly database: Database
  readonly clock: Clock
  readonly charging: Charging
  readonly catalogue: Catalogue
  readonly identity: Identity
  /** Whoever decides about service where invoices are not paid. */
  readonly arrears?: Parameters<typeof createBilling>[0]['arrears']
}

/** Billing with the rooms that it asks: prices and calendars of the catalogue, names of identity. */
export function billingOf({ database, clock, charging, catalogue, identity, arrears }: Rooms): Billing {
  return createBilling({
    database,
    clock,
    charging,
    sheetById: (id) => catalogue.sheet(id),
    calendars: async () => (await catalogue.ratingSources()).calendars ?? new Map(),
    tenantName: async (tenant) => (await identity.tenants(tenant))[0]?.displayName,
    ...(arrears ? { arrears } : {}),
  })
}

/** Settlement with the rooms that it asks. */
export function settlementOf({
  database,
  clock,
  charging,
  catalogue,
  agreements,
  quality,
}: Pick<Rooms, 'database' | 'clock' | 'charging' | 'catalogue'> & {
  readonly agreements: Agreements
  readonly quality: Pick<Quality, 'penaltiesOf'>
}): Settlement {
  return createSettlement({
    database,
    clock,
    async termsOf(supplier, atMs) {
      const [agreement] = await agreements.agreementsOf(supplier, atMs)
      if (!agreement) return undefined
      const { taxPercent, tolerance } = agreement.terms
      const { absPico, bps } = tolerance
      return { agreement: agreement.id, taxPercent, tolerance: { absPico: BigInt(absPico), bps } }
    },
    penaltiesOf: async (ask) => [...(await latenessOf(agreements, ask)), ...(await quality.penaltiesOf(ask))],
    async usageOf(span) {
      const rows = await charging.usage({ by: 'supplier', ...span })
      return rows.map(({ group, requests, buyPico }) => ({ supplier: group, requests, accruedPico: BigInt(buyPico) }))
    },
    knownSupplier: async (supplier) => (await catalogue.suppliers()).some(({ id }) => id === supplier),
  })
}

/** Orders that became complete in the month, and were late: what the agreement says is owed for it, in whole fen. */
async function latenessOf(
  agreements: Agreements,
  { supplier, period: key }: { supplier: string; period: string },
): Promise<PenaltyProposal[]> {
  const period = periodOfKey('month', key)
  if (!period) return []
  const orders = await agreements.callOffs({ supplier })
  return orders.flatMap(({ id, deliveredAtMs, deliveredUnits, units, lateDays, latenessPico, reportHash }) => {
    const isComplete = deliveredAtMs !== null && deliveredUnits >= units
    const amountPico = (BigInt(latenessPico) / PICO_PER_FEN) * PICO_PER_FEN
    if (!isComplete || deliveredAtMs < period.fromMs || deliveredAtMs >= period.toMs || amountPico === 0n) return []
    return [{ id: `late-${id}`, kind: 'lateness', amountPico, reason: `${lateDays} days late`, evidence: reportHash }]
  })
}
