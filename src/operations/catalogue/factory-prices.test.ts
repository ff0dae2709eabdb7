import { expect, test } from 'vitest'
import { parseFactoryFile } from './factory-file.ts'
import { reported } from './reported.ts'

const NOW_MS = Date.parse('2026-11-23T12:00:00+08:00')
const NOTHING = {
  suppliers: new Set<string>(),
  tenants: new Set<string>(),
  services: new Set<string>(),
  calendars: new Set<string>(),
  tables: new Set<string>(),
  projects: new Set<string>(),
}

function parse(text: string, known = NOTHING) {
  return parseFactoryFile(text, 'factory.yaml', { nowMs: NOW_MS, known })
}

function told(text: string, known = NOTHING): readonly string[] {
  return reported(parse(text, known).mistakes).map(({ line, path, message }) => `${line} ${path} ${message}`)
}

const GOOD = `calendars:
  - id: cn
    coversFrom: 2026-01-01
    coversTo: 2026-12-31
    holidays: [2026-10-01..2026-10-03, 2026-01-01]
    workedWeekendDays: [2026-10-10]
suppliers:
  - { id: engine, kind: embedded }
tenants:
  - id: acme
    credit: { limitYuan: 1000.50, mode: available }
    budgets: { dayYuan: 5, monthYuan: 0 }
    projects: [{ id: research, budgets: { dayYuan: 1 } }]
    gifts: [{ reference: welcome, amountYuan: 0.1, expiresAt: 2027-01-01 }]
    sharesWith: [lab]
  - id: lab
keys:
  - { id: k1, tenant: acme, project: research, budgets: { monthYuan: 9 } }
services:
  - id: chat
    contextTokens: 256
    maxOutputTokens: 128
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell:
      - validFrom: 2026-01-01
        taxPercent: 6
        perMillion: { uncachedInput: 3, output: 0.000003 }
        peak: { calendar: cn, hours: [14:00-18:00, 09:00-12:00] }
        variants:
          - { when: { tier: priority }, multiplier: 2 }
          - { when: { period: peak, inputTokensAbove: 100 }, perMillion: { uncachedInput: 8, output: 16 } }
          - { when: { tier: flex }, multiplier: 0.5 }
    deployments:
      - supplier: engine
        model: m
        buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 0, output: 0 } }]
tables:
  - id: standard
    versions:
      - validFrom: 2026-01-01
        weights: [{ service: chat, perToken: { uncachedInput: 1, cacheRead: 0.2, output: 4 } }]
      - { validFrom: 2027-01-01, weights: [{ service: chat, perToken: { uncachedInput: 2, output: 8 } }] }
`

test('prices with variants, tables and calendars become what gateways are told, expanded and exact', () => {
  const { mistakes, parts } = parse(GOOD)
  expect(mistakes).toEqual([])
  const sheet = parts.sheets.declared.find(({ row }) => row.side === 'sell')?.row
  expect(sheet?.peak).toEqual({
    calendar: 'cn',
    utcOffsetMinutes: 480,
    days: 'weekdays',
    hours: [
      { fromMinute: 540, toMinute: 720 },
      { fromMinute: 840, toMinute: 1080 },
    ],
  })
  expect(
    sheet?.variants.map(({ when, prices }) => [when, prices.uncachedInput, prices.cacheRead, prices.output]),
  ).toEqual([
    [{ tier: 'priority' }, '6000000', '6000000', '6'],
    [{ period: 'peak', inputTokensAbove: 100 }, '8000000', '8000000', '16000000'],
    // half of 3 pico is 2: half to even
    [{ tier: 'flex' }, '1500000', '1500000', '2'],
  ])
  expect(parts.calendars[0]?.row).toMatchObject({
    holidays: ['2026-01-01', '2026-10-01', '2026-10-02', '2026-10-03'],
    workedWeekendDays: ['2026-10-10'],
  })
  expect(parts.versions.declared.map(({ row }) => [row.table, row.id])).toEqual([
    ['standard', 'standard:2026-01-01'],
    ['standard', 'standard:2027-01-01'],
  ])
  // A class that is left out never counts for nothing.
  expect(parts.versions.declared[0]?.row.weights).toEqual([
    {
      service: 'chat',
      weights: {
        uncachedInput: '1000000',
        cacheWrite: '1000000',
        cacheRead: '200000',
        output: '4000000',
        reasoning: '4000000',
      },
    },
  ])
})

test('money of tenants and keys is read exactly, and what is left out is no cap', () => {
  const { file } = parse(GOOD)
  expect(file?.tenants[0]).toMatchObject({
    credit: { limitYuan: '1000.50', mode: 'available' },
    budgets: { dayYuan: '5', monthYuan: '0' },
    gifts: [{ amountYuan: '0.1', expiresAt: Date.parse('2027-01-01T00:00:00+08:00') }],
  })
  expect(file?.tenants[1]?.credit).toBeUndefined()
  expect(file?.tenants[1]).toMatchObject({
    budgets: {},
    projects: [],
    gifts: [],
    sharesWith: [],
  })
})

const WRONG: readonly (readonly [string, string, string, string])[] = [
  [
    'a tier that does not exist',
    'tier: flex',
    'tier: turbo',
    '32 services[0].sell[0].variants[2].when.tier must be one of',
  ],
  [
    'a variant without a condition',
    '{ tier: flex }',
    '{}',
    '32 services[0].sell[0].variants[2].when needs at least one',
  ],
  [
    'a variant without prices',
    ', multiplier: 0.5',
    '',
    '32 services[0].sell[0].variants[2] needs either perMillion or',
  ],
  [
    'a variant with prices and a multiplier',
    'multiplier: 0.5',
    'multiplier: 0.5, perMillion: { uncachedInput: 1, output: 1 }',
    '32 services[0].sell[0].variants[2] needs either perMillion or',
  ],
  [
    'a multiplier of zero',
    'multiplier: 0.5',
    'multiplier: 0',
    '32 services[0].sell[0].variants[2].multiplier the multiplier',
  ],
  [
    'a multiplier that is negative',
    'multiplier: 0.5',
    'multiplier: -1',
    '32 services[0].sell[0].variants[2].multiplier not',
  ],
  [
    'a multiplier with too many decimals',
    'multiplier: 0.5',
    'multiplier: 0.0000005',
    '32 services[0].sell[0].variants[2].multiplier not a',
  ],
  [
    'a variant that never decides',
    '{ tier: flex }',
    '{ tier: priority, inputTokensAbove: 5 }',
    '32 services[0].sell[0].variants[2].when never decides',
  ],
  [
    'a period without peak hours',
    '        peak: { calendar: cn, hours: [14:00-18:00, 09:00-12:00] }\n',
    '',
    '30 services[0].sell[0].variants[1].when.period this sheet does not say when',
  ],
  ['peak hours without a price for them', 'period: peak, ', '', '28 services[0].sell[0].peak changes nothing'],
  [
    'an unknown calendar',
    'calendar: cn',
    'calendar: mars',
    '28 services[0].sell[0].peak.calendar there is no calendar mars',
  ],
  [
    'hours that end before they begin',
    '14:00-18:00',
    '22:00-06:00',
    '28 services[0].sell[0].peak.hours[0] the hours end',
  ],
  ['hours that do not exist', '14:00-18:00', '14:00-25:00', '28 services[0].sell[0].peak.hours[0] write hours'],
  ['hours that overlap', '14:00-18:00', '11:59-18:00', '28 services[0].sell[0].peak.hours the hours overlap'],
  [
    'an offset that does not exist',
    'calendar: cn,',
    'calendar: cn, utcOffset: +14:30,',
    '28 services[0].sell[0].peak.utcOffset',
  ],
  ['a holiday that is no day', '2026-01-01]', '2026-02-30]', '5 calendars[0].holidays[1] not a day'],
  ['a span of holidays that is turned round', '..2026-10-03', '..2026-09-03', '5 calendars[0].holidays[0] not a day'],
  ['a holiday that is not covered', '2026-01-01]', '2027-01-01]', '5 calendars[0].holidays[1] 2027-01-01 is outside'],
  [
    'a holiday that is named twice',
    '2026-01-01]',
    '2026-10-02]',
    '5 calendars[0].holidays[1] 2026-10-02 is named twice',
  ],
  [
    'a worked day that is no weekend day',
    '[2026-10-10]',
    '[2026-10-09]',
    '6 calendars[0].workedWeekendDays[0] 2026-10-09 is no',
  ],
  ['a calendar that ends before it begins', 'coversTo: 2026', 'coversTo: 2025', '4 calendars[0].coversTo ends before'],
  [
    'a table of an unknown service',
    'service: chat, perToken: { uncachedInput: 1,',
    'service: ghost, perToken: { uncachedInput: 1,',
    '41 tables[0].versions[0].weights[0].service there is no service ghost',
  ],
  [
    'a service that has two weights in one version',
    '[{ service: chat, perToken: { uncachedInput: 2, output: 8 } }]',
    '[{ service: chat, perToken: { uncachedInput: 2, output: 8 } }, { service: chat, perToken: { uncachedInput: 1, output: 8 } }]',
    '42 tables[0].versions[1].weights[1].service chat already has its weights',
  ],
  [
    'a negative weight',
    'cacheRead: 0.2',
    'cacheRead: -0.2',
    '41 tables[0].versions[0].weights[0].perToken.cacheRead not a number',
  ],
  [
    'a weight that is left out',
    'uncachedInput: 2, ',
    '',
    '42 tables[0].versions[1].weights[0].perToken.uncachedInput the field',
  ],
  [
    'versions of one table that overlap',
    'validFrom: 2027-01-01',
    'validFrom: 2026-01-01',
    '42 tables[0].versions[1].validFrom overlaps another version',
  ],
  [
    'a table without a version',
    /versions:[^]*/.source,
    'versions: []\n',
    '39 tables[0].versions needs at least one version',
  ],
  [
    'a table whose name is taken by reservations',
    'id: standard',
    'id: tpm-in.standard',
    '38 tables[0].id ids that begin with tpm-',
  ],
  ['a credit that is negative', '1000.50', '-1', '11 tenants[0].credit.limitYuan the amount must not be below zero'],
  [
    'a mode that does not exist',
    'mode: available',
    'mode: loose',
    '11 tenants[0].credit.mode must be one of: strict, available',
  ],
  ['a budget in words', 'dayYuan: 5', 'dayYuan: five', '12 tenants[0].budgets.dayYuan not an amount in yuan'],
  ['a budget per week', 'dayYuan: 5', 'weekYuan: 5', '12 tenants[0].budgets.weekYuan unknown field'],
  [
    'a project that is declared twice',
    '[{ id: research,',
    '[{ id: research }, { id: research,',
    '13 tenants[0].projects[1].id research is already',
  ],
  [
    'a project that the tenant does not have',
    'project: research',
    'project: sales',
    '18 keys[0].project acme has no project sales',
  ],
  [
    'a gift of nothing',
    'amountYuan: 0.1',
    'amountYuan: 0',
    '14 tenants[0].gifts[0].amountYuan the amount must be above zero',
  ],
  [
    'the same gift twice',
    '[{ reference: welcome,',
    '[{ reference: welcome, amountYuan: 1 }, { reference: welcome,',
    '14 tenants[0].gifts[1].reference the gift welcome is already',
  ],
  ['sharing with nobody', '[lab]', '[ghost]', '15 tenants[0].sharesWith[0] there is no tenant ghost'],
  ['sharing with itself', '[lab]', '[acme]', '15 tenants[0].sharesWith[0] a tenant pays with its own wallet'],
  ['sharing twice with the same', '[lab]', '[lab, lab]', '15 tenants[0].sharesWith[1] lab is already named'],
]

test.each(WRONG)('%s is told with its place', (_, from, to, expected) => {
  const text = from.startsWith('versions:') ? GOOD.replace(new RegExp(from), to) : GOOD.replace(from, to)
  expect(text).not.toBe(GOOD)
  const mistakes = told(text)
  expect(mistakes.map((line) => line.slice(0, expected.length))).toContain(expected)
  expect(parse(text).file).toBeUndefined()
})

test('what is already in force may be referred to without being declared again', () => {
  const known = {
    ...NOTHING,
    tenants: new Set(['acme']),
    services: new Set(['chat']),
    projects: new Set(['acme/research']),
  }
  expect(told('keys:\n  - { id: k, tenant: acme, project: research }\n', known)).toEqual([])
  const table =
    'tables:\n  - { id: t, versions: [{ validFrom: 2026-01-01, weights: [{ service: chat, perToken: { uncachedInput: 1, output: 1 } }] }] }\n'
  expect(told(table, known)).toEqual([])
})
