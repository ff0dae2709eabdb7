import { expect, test } from 'vitest'
import { CLASS_POLICIES } from '#admission'
import type { ApiKey, PriceSheet, Service, Snapshot, Tenant } from '#contract'
import { arrange } from './directory.ts'
import { moneyBound, pricesOf, sheetAt, tierOf } from './pricing.ts'
import { renderPreview } from './price-preview.ts'
import { renderPrices, renderTables } from './published.ts'

const flat = (price: string) => ({
  uncachedInput: price,
  cacheWrite: price,
  cacheRead: price,
  output: price,
  reasoning: price,
})
const sheet = (over: Partial<PriceSheet> = {}): PriceSheet => ({
  id: 'sell-1',
  currency: 'CNY',
  validFromMs: 0,
  validToMs: null,
  taxPercent: 6,
  prices: flat('1000000'),
  ...over,
})
const service = (id: string, over: Partial<Service> = {}): Service => ({
  id,
  displayName: id,
  createdMs: 0,
  contextTokens: 1000,
  maxOutputTokens: 100,
  tokenizer: { kind: 'bytes', bytesPerToken: 4 },
  tenants: [],
  sellSheets: [sheet()],
  deployments: [],
  firstByteTimeoutMs: 1,
  idleTimeoutMs: 1,
  totalTimeoutMs: 1,
  ...over,
})
const key = (id: string, tenant: string): ApiKey => ({
  id,
  tenant,
  name: id,
  hash: id,
  status: 'active',
  expiresAtMs: null,
  limits: {},
})
const tenant = (id: string, over: Partial<Tenant> = {}): Tenant => ({
  id,
  displayName: id,
  status: 'active',
  limits: {},
  ...over,
})
const parts = {
  classes: CLASS_POLICIES,
  slotOf: () => 0,
  supplierLine: () => {
    throw new Error('no supplier here')
  },
  tokenizer: () => ({ method: 'none', count: () => 0 }) as never,
}
const directoryOf = (over: Partial<Snapshot>) =>
  arrange({ version: 1, tenants: [], keys: [], services: [], suppliers: [], ...over }, parts)

test('the plain case needs no plan; means, caps and arrears do', () => {
  const own = { kind: 'wallet', id: 'w', bucket: 'wallet:own', payer: 'own' } as const
  const cap = { id: 'c', scope: 'tenant', bucket: 'cap:c', period: 'day', limitPico: '1' } as const
  const { callers } = directoryOf({
    tenants: [
      tenant('plain'),
      tenant('own', { means: [own] }),
      tenant('capped', { caps: [cap, cap] }),
      tenant('late', { status: 'restricted' }),
      tenant('gone', { status: 'suspended' }),
      tenant('many', { means: [own, { kind: 'tokens', id: 'p', bucket: 'tokens:many/x', table: 'x' }] }),
    ],
    keys: ['plain', 'own', 'capped', 'late', 'gone', 'many'].map((id) => key(id, id)),
  })
  expect(callers.get('plain')).toMatchObject({ wallet: 'wallet:plain', funding: undefined, state: 'active' })
  expect(callers.get('own')?.funding).toBeUndefined()
  expect(callers.get('capped')?.funding).toMatchObject({ means: [{ bucket: 'wallet:capped' }], caps: [cap] })
  expect(callers.get('late')).toMatchObject({ state: 'active', funding: { isRestricted: true } })
  expect(callers.get('gone')?.state).toBe('suspended')
  // Its table is not in the snapshot: what cannot be converted pays for nothing.
  expect(callers.get('many')?.funding?.means).toEqual([own])
})

test('a sheet whose calendar is not known prices nothing, so what it would price is not served', () => {
  const peak = {
    calendar: 'cn',
    utcOffsetMinutes: 480,
    days: 'weekdays' as const,
    hours: [{ fromMinute: 0, toMinute: 1440 }],
  }
  const services = [service('m', { sellSheets: [sheet({ peak })] })]
  const sheets = (over: Partial<Snapshot>) => directoryOf({ services, ...over }).services.get('m')?.sellSheets ?? []
  expect(sheetAt(sheets({}), 1)).toBeUndefined()
  const calendars = [
    { id: 'cn', coversFrom: '2026-01-01', coversTo: '2026-12-31', holidays: [], workedWeekendDays: [] },
  ]
  expect(sheetAt(sheets({ calendars }), 1)?.id).toBe('sell-1')
})

const tiered = sheet({
  variants: [
    { when: { tier: 'priority', inputTokensAbove: 500 }, prices: flat('9000000') },
    { when: { tier: 'priority' }, prices: flat('3000000') },
  ],
})

test('a tier that the sheet sells is held for at its dearest band and charged by the exact one; another is standard', () => {
  const directory = directoryOf({ services: [service('m', { sellSheets: [tiered] })] })
  const found = sheetAt(directory.services.get('m')?.sellSheets ?? [], 1)
  if (!found) throw new Error('no sheet')
  expect([undefined, 'standard', 'flex', 'priority'].map((tier) => tierOf(found, tier as never))).toEqual([
    'standard',
    'standard',
    'standard',
    'priority',
  ])
  const priority = { tier: 'priority', atMs: 1 } as const
  const bounds = { inputBound: 600, outputBound: 10 }
  expect(moneyBound(found, priority, bounds)).toBe(610n * 9_000_000n)
  expect(moneyBound(found, { ...priority, tier: 'standard' }, bounds)).toBe(610n * 1_000_000n)
  expect(pricesOf(found, priority, 500).output).toBe(3_000_000n)
  expect(pricesOf(found, priority, 501).output).toBe(9_000_000n)
})

test('prices and tables name only services that the caller may use, in force or announced', () => {
  const weights = [
    { service: 'open', weights: flat('1500000') },
    { service: 'closed', weights: flat('1') },
  ]
  const directory = directoryOf({
    tenants: [tenant('acme'), tenant('other')],
    keys: [key('k', 'acme')],
    services: [
      service('open', { sellSheets: [tiered, sheet({ id: 'old', validToMs: 5 })] }),
      service('closed', { tenants: ['other'] }),
    ],
    tables: [
      {
        id: 'std',
        displayName: 'Standard token',
        versions: [
          { id: 'std-0', validFromMs: 0, validToMs: 5, weights },
          { id: 'std-1', validFromMs: 5, validToMs: null, weights },
        ],
      },
    ],
  })
  const caller = directory.callers.get('k')
  if (!caller) throw new Error('no caller')
  const prices = renderPrices(directory, caller, 10)
  expect(prices).not.toContain('closed')
  expect(JSON.parse(prices)).toMatchObject({
    data: [
      {
        model: 'open',
        sheets: [{ id: 'sell-1', yuanPerMillion: { output: '1' }, variants: [{ when: { tier: 'priority' } }, {}] }],
      },
    ],
  })
  const tables = renderTables(directory, caller, 10)
  expect(tables).not.toContain('closed')
  expect(JSON.parse(tables)).toMatchObject({
    data: [{ id: 'std', versions: [{ id: 'std-1', validTo: null, unitsPerToken: { open: { output: '1.5' } } }] }],
  })
})

test('a preview names each of the means with the most that it can be asked for', () => {
  const directory = directoryOf({
    tenants: [
      tenant('acme', {
        means: [
          { kind: 'tokens', id: 'pack', bucket: 'tokens:acme/std', table: 'std' },
          { kind: 'wallet', id: 'w', bucket: 'wallet:acme', payer: 'acme' },
        ],
      }),
    ],
    keys: [key('k', 'acme')],
    services: [service('m', { sellSheets: [tiered] })],
    tables: [
      {
        id: 'std',
        displayName: 'Standard token',
        versions: [
          { id: 'std-1', validFromMs: 0, validToMs: null, weights: [{ service: 'm', weights: flat('1500000') }] },
        ],
      },
    ],
  })
  const [caller, offered] = [directory.callers.get('k'), directory.services.get('m')]
  const [found] = offered?.sellSheets ?? []
  if (!caller || !offered || !found) throw new Error('not arranged')
  const bounds = { inputBound: 600, outputBound: 10 }
  const preview = renderPreview({ caller, service: offered, sheet: found, tier: 'priority', atMs: 1, bounds })
  expect(JSON.parse(preview)).toMatchObject({
    tier: 'priority',
    sheet: 'sell-1',
    bound: { inputTokens: 600, outputTokens: 10 },
    yuanPerMillionAtMost: { output: '9' },
    atMost: { chargePico: '5490000000', chargeYuan: '0.00549' },
    means: [
      { kind: 'tokens', id: 'pack', table: 'std', version: 'std-1', unitsAtMost: '915' },
      { kind: 'wallet', payer: 'acme', yuanAtMost: '0.00549' },
    ],
  })
})
