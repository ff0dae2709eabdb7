import { expect, test } from 'vitest'
import { parseFactoryFile } from '../factory-file.ts'
import { reported } from '../reported.ts'

const NOTHING = new Set<string>()
const known = {
  suppliers: NOTHING,
  tenants: NOTHING,
  services: new Set(['chat']),
  calendars: NOTHING,
  tables: NOTHING,
  projects: NOTHING,
}
const parse = (text: string) =>
  parseFactoryFile(text, 'f.yaml', { nowMs: Date.parse('2026-11-23T12:00:00+08:00'), known })

const contract = (more: string) => `suppliers:
  - id: a
    kind: embedded
    commitments:
      - { id: c, services: [chat], from: 2026-01-01, to: 2027-01-01, ${more} }
`

test('contracts, links and tenants are read as they were written', () => {
  const { file, mistakes } = parse(`
links: [{ from: north, to: south, rttMs: 30, mebibyteYuan: 0.000001 }]
suppliers:
  - id: a
    kind: embedded
    region: north
    tokensPerMinute: 1000000
    commitments:
      - { id: c1, kind: take_or_pay, services: [chat], from: 2026-01-01, to: 2027-01-01, tokens: 50000000000 }
      - { id: c2, kind: share, services: [chat], from: 2026-01-01, to: 2027-01-01, group: lot-1, minPercent: 33.3333, maxPercent: 60, lotTokens: 1000000 }
tenants: [{ id: t, strategy: cost, weight: 4, regions: [north], seesSuppliers: true }]
`)
  expect(mistakes).toEqual([])
  expect(file?.suppliers[0]).toMatchObject({ region: 'north', tokensPerMinute: 1_000_000 })
  expect(file?.suppliers[0]?.commitments[1]).toMatchObject({ minPercent: 333_333, maxPercent: 600_000 })
  expect(file?.links[0]?.mebibyteYuan).toBe('0.000001')
  expect(file?.tenants[0]).toMatchObject({ strategy: 'cost', weight: 4, regions: ['north'], seesSuppliers: true })
})

test.each([
  [
    'a region in capitals',
    'suppliers:\n  - { id: a, kind: embedded, region: CN }\n',
    '2:38 suppliers[0].region use lower-case',
  ],
  [
    'a strategy that does not exist',
    'tenants:\n  - { id: a, strategy: magic }\n',
    '2:24 tenants[0].strategy must be one of: cost, effect, balanced',
  ],
  ['no region at all', 'tenants:\n  - { id: a, regions: [] }\n', '2:23 tenants[0].regions name at least one region'],
  [
    'a link with itself',
    'links:\n  - { from: n, to: n, rttMs: 1 }\n',
    '2:20 links[0].to a region is not linked with itself',
  ],
  [
    'a link the other way round',
    'links:\n  - { from: n, to: s, rttMs: 1 }\n  - { from: s, to: n, rttMs: 2 }\n',
    '3:5 links[1] these two regions are already linked',
  ],
  [
    'a kind of contract that does not exist',
    contract('kind: gift'),
    '5:76 suppliers[0].commitments[0].kind must be one of: take_or_pay, share, reserved_rate, cap',
  ],
  [
    'a contract without its amount',
    contract('kind: cap'),
    '5:9 suppliers[0].commitments[0].tokens the field tokens is missing',
  ],
  [
    'a contract that ends before it begins',
    contract('kind: cap, tokens: 5').replace('2027', '2025'),
    '5:58 suppliers[0].commitments[0].to ends before it begins',
  ],
  [
    'a share with its ends the wrong way round',
    contract('kind: share, group: g, minPercent: 60, maxPercent: 50, lotTokens: 1'),
    '5:121 suppliers[0].commitments[0].maxPercent is below minPercent',
  ],
  [
    'a share above all',
    contract('kind: share, group: g, minPercent: 101, maxPercent: 101, lotTokens: 1'),
    '5:105 suppliers[0].commitments[0].minPercent must be at most 100',
  ],
  [
    'a share finer than a millionth',
    contract('kind: share, group: g, minPercent: 0.00001, maxPercent: 50, lotTokens: 1'),
    '5:105 suppliers[0].commitments[0].minPercent a percentage has at most four decimal places',
  ],
  [
    'a contract for an unknown service',
    contract('kind: cap, tokens: 5').replace('[chat]', '[chat, ghost]'),
    '5:35 suppliers[0].commitments[0].services[1] there is no service ghost',
  ],
])('%s is told with its place', (_, text, expected) => {
  const { file, mistakes } = parse(text)
  const told = reported(mistakes).map(({ line, column, path, message }) => `${line}:${column} ${path} ${message}`)
  expect(told.map((line) => line.slice(0, expected.length))).toContain(expected)
  expect(file).toBeUndefined()
})

test('shares of one package that promise more than all there is are told, and so are two contracts of one id', () => {
  const half = (id: string, supplier: string) => `  - id: ${supplier}
    kind: embedded
    commitments:
      - { id: ${id}, kind: share, services: [chat], from: 2026-01-01, to: 2027-01-01, group: g, minPercent: 50.0001, maxPercent: 60, lotTokens: 1 }
`
  const told = (text: string) => reported(parse(text).mistakes).map(({ path, message }) => `${path} ${message}`)
  expect(told(`suppliers:\n${half('x', 'a')}${half('y', 'b')}`)).toEqual([
    'suppliers[1].commitments[0].minPercent the minimum shares of g are more than all there is',
  ])
  expect(told(`suppliers:\n${half('x', 'a')}${half('x', 'b').replace('50.0001', '1')}`)).toEqual([
    'suppliers[1].commitments[0].id x is already declared above',
  ])
})
