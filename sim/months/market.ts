/**
 * What the factory declares as the years pass: a price cut, a conversion table that is re-weighted, a tax that rises, a calendar
 * that grows by the year. Its holidays are invented where no government has published any.
 */
export interface Market {
  readonly upstreamUrl: string
}

export const SERVICE = 'chat'
export const TABLE = 'standard'

/** From when on what holds. `multiplier` of priority and peak as the file below says. */
export const PRICES = [
  { from: '2026-01-01', input: 2_000_000n, cached: 200_000n, output: 8_000_000n, taxPercent: 6 },
  { from: '2027-07-01', input: 1_500_000n, cached: 150_000n, output: 6_000_000n, taxPercent: 6 },
  { from: '2028-07-01', input: 1_500_000n, cached: 150_000n, output: 6_000_000n, taxPercent: 9 },
] as const

/** Millionths of a unit per token. */
export const WEIGHTS = [
  { from: '2026-01-01', input: 1_000_000n, cached: 100_000n, output: 4_000_000n },
  { from: '2029-01-01', input: 1_000_000n, cached: 50_000n, output: 3_000_000n },
] as const

export const PEAK_HOURS = [
  { from: 9, to: 12 },
  { from: 14, to: 18 },
] as const

/** Three days around the first of May and seven from the first of October, every year. */
export function isHoliday(day: string): boolean {
  return /^\d{4}-(?:05-0[1-3]|10-0[1-7])$/.test(day)
}

const OFFERS = `
offers:
  - { id: pack-small, kind: package, table: ${TABLE}, units: 4000, priceYuan: 0.04, taxPercent: 6, valid: { months: 1 }, priority: 10, refund: unused }
  - { id: plan-basic, kind: plan, period: { months: 1 }, priceYuan: 0.05, taxPercent: 6, refund: unused, grants: [{ table: ${TABLE}, units: 2000, priority: 20 }] }
  - { id: plan-more, kind: plan, period: { months: 1 }, priceYuan: 0.09, taxPercent: 6, refund: unused, grants: [{ table: ${TABLE}, units: 5000, priority: 20 }] }
  - id: reserved
    kind: throughput-tpm
    services: [${SERVICE}]
    taxPercent: 6
    input: { unitTokens: 10000, priceYuan: 0.001 }
    output: { unitTokens: 10000, priceYuan: 0.002 }
    term: { per: day, min: 1, max: 90 }
    dayCutoff: 22:00
`

/** The file of one year. Applying it again, or a later year's after it, changes only what is new. */
export function factoryFile({ upstreamUrl }: Market, year: number): string {
  const perMillion = (pico: bigint): string => `${Number(pico) / 1_000_000}`
  const sheets = PRICES.map(
    ({ from, input, cached, output, taxPercent }) => `
      - validFrom: ${from}
        taxPercent: ${taxPercent}
        perMillion: { uncachedInput: ${perMillion(input)}, cacheRead: ${perMillion(cached)}, output: ${perMillion(output)} }
        peak: { calendar: cn, days: weekdays, hours: [09:00-12:00, 14:00-18:00] }
        variants:
          - { when: { tier: priority, period: peak }, multiplier: 4 }
          - { when: { tier: priority }, multiplier: 2 }
          - { when: { period: peak }, multiplier: 2 }`,
  ).join('')
  const versions = WEIGHTS.map(
    ({ from, input, cached, output }) => `
      - validFrom: ${from}
        weights: [{ service: ${SERVICE}, perToken: { uncachedInput: ${perMillion(input)}, cacheRead: ${perMillion(cached)}, output: ${perMillion(output)} } }]`,
  ).join('')
  const years = Array.from({ length: year - 2026 + 1 }, (_, i) => 2026 + i)
  const holidays = years.flatMap((each) => [`${each}-05-01..${each}-05-03`, `${each}-10-01..${each}-10-07`])
  return `suppliers:
  - { id: vendor, kind: openai-compatible, baseUrl: ${upstreamUrl} }
calendars:
  - { id: cn, coversFrom: 2026-01-01, coversTo: ${year}-12-31, holidays: [${holidays.join(', ')}], workedWeekendDays: [] }
services:
  - id: ${SERVICE}
    contextTokens: 8192
    maxOutputTokens: 200
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell:${sheets}
    deployments:
      - { supplier: vendor, model: chat, buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, cacheRead: 0.1, output: 4 } }] }
tables:
  - id: ${TABLE}
    versions:${versions}
tenants:
  - { id: prepaid, gifts: [{ reference: welcome, amountYuan: 0.02, expiresAt: 2026-03-31 }], sharesWith: [family] }
  - { id: family, budgets: { dayYuan: 0.01 } }
  - { id: postpaid, credit: { limitYuan: 50 } }
  - { id: planned }
  - { id: reserved }
keys:
  - { id: prepaid, tenant: prepaid }
  - { id: family, tenant: family }
  - { id: postpaid, tenant: postpaid }
  - { id: planned, tenant: planned }
  - { id: reserved, tenant: reserved }
${OFFERS}`
}

export const TENANTS = ['prepaid', 'family', 'postpaid', 'planned', 'reserved'] as const
export type TenantName = (typeof TENANTS)[number]
