import { describe, expect, test } from 'vitest'
import { Offer } from '#contract'
import type { Configuration } from '#contract'
import { PICO_PER_YUAN, parseYuan } from '#kernel'
import { priceOf } from './pricing.ts'
import { configurationIssues, unitsFor } from './sizing.ts'
import { firstTerm, unusedOf } from './term.ts'

/**
 * Published prices of the market, to the fen or cent (reference: domain research, "golden test vectors" 5, 6, 7, 8, 10, 11). The
 * books are in yuan, so a price in dollars is taken as the same number of yuan.
 */
const at = (text: string) => Date.parse(`${text}+08:00`)
const NOON = at('2026-11-25T12:00:00')
const yuan = (text: string) => parseYuan(text)

interface Declared {
  readonly kind: string
  readonly [field: string]: unknown
}

function parsed(declared: Declared): Offer {
  const services = declared.kind === 'package' ? {} : { services: ['max'] }
  return Offer.parse({ id: 'offer', taxPercent: 6, ...services, ...declared })
}

function buy(declared: Declared, configuration: Configuration, atMs = NOON) {
  const offer = parsed(declared)
  expect(configurationIssues(offer, configuration)).toEqual([])
  return { offer, ...priceOf(offer, configuration, firstTerm(offer, configuration, atMs)) }
}

function issuesOf(declared: Declared, configuration: Configuration): string[] {
  const offer = parsed(declared)
  return configurationIssues(offer, configuration).map(({ path, message }) => `${path} ${message}`)
}

const alibaba = (inputYuan: string, outputYuan: string) => ({
  kind: 'throughput-tpm',
  input: { unitTokens: 10_000, minUnits: 20, priceYuan: inputYuan },
  output: { unitTokens: 1_000, minUnits: 20, priceYuan: outputYuan },
  term: { per: 'day', min: 1, max: 30, also: [60, 90, 120, 365] },
  dayCutoff: '22:00',
})

describe('Alibaba, tokens per minute by the day (5)', () => {
  const wanted = { inputTpm: 200_000, outputTpm: 100_000 }

  test('200 thousand in and 100 thousand out for a day are ¥6,049', () => {
    expect(buy(alibaba('121', '36.29'), wanted).grossPico).toBe(yuan('6049'))
  })

  // Only the total of the fast variant is published; these two prices make it up.
  test('the fast variant is ¥17,280', () => {
    expect(buy(alibaba('345.6', '103.68'), wanted).grossPico).toBe(yuan('17280'))
  })

  test.each([
    ['2026-11-25T21:59:59.999', '2026-11-26T00:00:00'],
    ['2026-11-25T22:00:00', '2026-11-27T00:00:00'],
    ['2026-11-25T00:00:00', '2026-11-26T00:00:00'],
    ['2026-11-25T23:59:59', '2026-11-27T00:00:00'],
  ])('bought at %s, a day is over at %s', (bought, end) => {
    const { fromMs, toMs } = buy(alibaba('121', '36.29'), wanted, at(bought))
    expect({ fromMs, toMs }).toEqual({ fromMs: at(bought), toMs: at(end) })
  })

  test('less than the least, no step between and no other term is sold', () => {
    expect(issuesOf(alibaba('121', '36.29'), { inputTpm: 190_000, outputTpm: 100_000, term: 31 })).toEqual([
      'term must be 1 to 30 or 60, 90, 120, 365 (day)',
      'inputTpm must be at least 200000',
    ])
    expect(unitsFor({ unitTokens: 10_000, minUnits: 20, stepUnits: 1, priceYuan: '1' }, 200_001)).toBe(21)
  })
})

test('xAI: 100,000 in are 4 units of 31,500, 50,000 out 4 of 12,500: 8 × 10 a day (6)', () => {
  const declared = {
    kind: 'throughput-tpm',
    input: { unitTokens: 31_500, priceYuan: '10' },
    output: { unitTokens: 12_500, priceYuan: '10' },
    term: { per: 'day', min: 30, max: 365 },
  }
  const { grossPico, entitlements } = buy(declared, { inputTpm: 100_000, outputTpm: 50_000, term: 30 })
  expect(grossPico).toBe(30n * yuan('80'))
  expect(entitlements).toMatchObject([
    { dimensions: [{ amountPerMinute: '126000000000' }, { amountPerMinute: '50000000000' }], overflow: 'next' },
  ])
})

test('Fireworks: 10 per minute reserved are 10 per minute to spend, 600 an hour (7)', () => {
  const declared = {
    kind: 'spend-per-minute',
    minYuanPerMinute: '1',
    stepYuanPerMinute: '0.5',
    term: { per: 'hour', min: 1, max: 24 },
  }
  const { grossPico, entitlements } = buy(declared, { yuanPerMinute: '10' })
  expect(grossPico).toBe(yuan('600'))
  expect(entitlements).toMatchObject([
    { dimensions: [{ name: 'cny', unit: 'CNY', amountPerMinute: `${yuan('10')}` }], overflow: 'next' },
  ])
  expect(issuesOf(declared, { yuanPerMinute: '10.3' })).toEqual(['yuanPerMinute must be 1 and a multiple of 0.5 more'])
})

describe('Azure, provisioned units (8)', () => {
  const ptu = (minUnits: number, stepUnits: number) => ({
    kind: 'provisioned',
    unitTokens: 3_000,
    minUnits,
    stepUnits,
    burndown: {
      uncachedInputUnits: '1',
      cacheWriteUnits: '1',
      cacheReadUnits: '0',
      outputUnits: '4',
      reasoningUnits: '4',
    },
    hourPriceYuan: '1',
    term: { per: 'minute', min: 1, max: 525_600 },
  })

  test('15 units are 45,000 tokens a minute, and a quarter of an hour is a quarter of the price', () => {
    const hour = buy(ptu(15, 5), { units: 15, term: 60 })
    expect(hour.entitlements).toMatchObject([
      { dimensions: [{ unit: 'tpm-ptu.offer', amountPerMinute: '45000000000' }], overflow: 'reject' },
    ])
    expect(hour.grossPico).toBe(yuan('15'))
    expect(buy(ptu(15, 5), { units: 15, term: 15 }).grossPico * 4n).toBe(hour.grossPico)
  })

  test('an hour ended after a quarter gives three quarters back', () => {
    const { offer, grossPico, fromMs, toMs } = buy(ptu(15, 5), { units: 15, term: 60 })
    expect(unusedOf(offer, grossPico, { fromMs, toMs }, NOON + 15 * 60_000)).toBe(yuan('11.25'))
    expect(unusedOf(offer, grossPico, { fromMs, toMs }, NOON + 14 * 60_000 + 1)).toBe(yuan('11.25'))
  })

  test.each([
    ['global', 15, 5, [15, 20, 500], [10, 16, 19]],
    ['regional', 50, 50, [50, 100], [15, 55, 75]],
  ])('%s units begin at %i in steps of %i', (_, min, step, right, wrong) => {
    for (const units of right) expect(issuesOf(ptu(min, step), { units })).toEqual([])
    for (const units of wrong) expect(issuesOf(ptu(min, step), { units })).toHaveLength(1)
  })
})

test('Bedrock: at least 100,000 in and 10,000 out, one or three months, overflow to the standard price (10)', () => {
  const declared = {
    kind: 'throughput-tpm',
    input: { unitTokens: 1_000, minUnits: 100, priceYuan: '2' },
    output: { unitTokens: 1_000, minUnits: 10, priceYuan: '8' },
    term: { per: 'month', min: 1, max: 1, also: [3] },
  }
  const { grossPico, toMs, entitlements } = buy(declared, { inputTpm: 100_000, outputTpm: 10_000, term: 3 })
  expect(grossPico).toBe(yuan('840'))
  expect(toMs).toBe(at('2027-02-25T12:00:00'))
  expect(entitlements).toMatchObject([{ overflow: 'next' }])
  expect(issuesOf(declared, { inputTpm: 99_000, outputTpm: 9_000, term: 2 })).toEqual([
    'term must be 1 or 3 (month)',
    'inputTpm must be at least 100000',
    'outputTpm must be at least 10000',
  ])
})

test.each([
  ['China Telecom, family', '9.9', '10', '0.99'],
  ['China Telecom, family', '29.9', '40', '0.7475'],
  ['China Telecom, family', '49.9', '80', '0.62375'],
  ['China Telecom, developers', '39.9', '15', '2.66'],
  ['China Telecom, developers', '159.9', '70', '2.2842857'],
  ['China Telecom, developers', '299.9', '150', '1.9993333'],
  ['Shanghai Telecom, points', '1', '0.25', '4'],
  ['Shanghai Mobile', '1', '0.4', '2.5'],
])('%s: ¥%s for %s million is ¥%s per million (11)', (_, priceYuan, millions, perMillion) => {
  const { grossPico, entitlements } = buy(
    {
      kind: 'package',
      table: 'tokens',
      units: `${Number(millions) * 1e6}`,
      priceYuan,
      valid: { months: 12 },
    },
    {},
  )
  const [lot] = entitlements
  if (lot?.kind !== 'lot') throw new Error('no lot')
  // Seven decimals of the published unit price: pico-yuan per 10⁵ tokens.
  const perMillionPico = (grossPico * 1_000_000n * 1_000_000n) / BigInt(lot.amount)
  expect(perMillionPico / 100_000n).toBe(yuan(perMillion) / 100_000n)
})

test('a free trial of 30 million is a gift and costs nothing', () => {
  const { grossPico, entitlements } = buy(
    {
      kind: 'package',
      table: 'tokens',
      units: '30000000',
      priceYuan: '0',
      valid: { days: 30 },
      mostPerTenant: 1,
    },
    {},
  )
  expect(grossPico).toBe(0n)
  expect(entitlements).toMatchObject([{ source: 'gift', amount: `${30n * PICO_PER_YUAN}`, netPico: '0' }])
})
