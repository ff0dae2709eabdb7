import type * as z from 'zod'
import { Offer } from '#contract'
import type {
  ConversionTable,
  DocumentReply,
  LineRequestView,
  MeansReply,
  OfferView,
  OrderView,
  PaymentView,
  QuoteView,
  ReconcileReply,
  SubscriptionView,
} from '#contract'

const YUAN = 1_000_000_000_000n
const UNIT = 1_000_000n
const DAY_MS = 86_400_000
const PRICE = 9n * YUAN + (9n * YUAN) / 10n
const NET = 9_339_622_641_509n
const REQUEST = 'req_00000000000000000000000000'

/** What can be bought, what was, and the documents about it: one of each kind, enough to look at every page. */
export interface MockCommerce {
  readonly offers: readonly OfferView[]
  readonly tables: readonly ConversionTable[]
  readonly orders: OrderView[]
  readonly subscriptions: SubscriptionView[]
  readonly document: DocumentReply
  readonly lineRequests: readonly LineRequestView[]
  readonly payments: readonly PaymentView[]
  readonly means: (tenant: string) => MeansReply
  readonly quote: (tenant: string, offer: string, nowMs: number) => QuoteView
  readonly order: (tenant: string, nowMs: number) => OrderView
  readonly reconcile: (day: string) => z.infer<typeof ReconcileReply>
}

const entitlements: QuoteView['entitlements'] = [
  {
    kind: 'lot',
    unit: 'standard-token',
    source: 'package',
    amount: `${10_000_000n * UNIT}`,
    priority: 100,
    netPico: `${NET}`,
  },
]
const priced = {
  grossPico: `${PRICE}`,
  netPico: `${NET}`,
  taxPico: `${PRICE - NET}`,
  taxPercent: 6,
  entitlements,
}

export function createMockCommerce(nowMs: number): MockCommerce {
  const offer = Offer.parse({
    id: 'family-10m',
    name: '家庭包 10M',
    kind: 'package',
    table: 'standard-token',
    units: '10000000',
    priceYuan: '9.9',
    valid: { months: 1 },
    taxPercent: 6,
    maxMembers: 5,
    refund: 'unused',
  })
  const commerce: MockCommerce = {
    offers: [
      {
        id: offer.id,
        name: '家庭包 10M',
        kind: offer.kind,
        state: 'launched',
        createdAtMs: nowMs - 30 * DAY_MS,
        launchedAtMs: nowMs - 30 * DAY_MS,
        retiredAtMs: null,
        offer,
      },
    ],
    tables: [
      {
        id: 'standard-token',
        displayName: '标准词元',
        versions: [
          {
            id: 'standard-token:2026-01-01',
            validFromMs: nowMs - 300 * DAY_MS,
            validToMs: null,
            weights: [
              {
                service: 'deepseek-v3.2',
                weights: {
                  uncachedInput: '1000000',
                  cacheWrite: '1000000',
                  cacheRead: '100000',
                  output: '1500000',
                  reasoning: '1500000',
                },
              },
            ],
          },
        ],
      },
    ],
    orders: [],
    subscriptions: [],
    document: mockDocument(nowMs),
    lineRequests: [
      {
        id: REQUEST,
        cursor: '1',
        correction: null,
        completedAtMs: nowMs - 20 * DAY_MS,
        tenant: 'acme',
        key: 'acme-1',
        service: 'deepseek-v3.2',
        tier: 'standard',
        tokens: { uncachedInput: 900, cacheWrite: 0, cacheRead: 0, output: 90, reasoning: 0 },
        sellPico: '12340000000000',
        giftPico: '0',
        billedPico: '12340000000000',
        creditPico: '12340000000000',
      },
    ],
    payments: [],
    means: (tenant) => ({
      tenant,
      lots: commerce.subscriptions
        .filter((subscription) => subscription.tenant === tenant)
        .flatMap(({ terms }) => terms)
        .map(({ order, toMs }) => ({
          id: `lot_${order}`,
          unit: 'standard-token',
          source: 'package' as const,
          reference: `grant:${order}/1`,
          state: 'active' as const,
          granted: `${10_000_000n * UNIT}`,
          remaining: `${9_999_975n * UNIT}`,
          priority: 100,
          validFromMs: 0,
          expiresAtMs: toMs,
          createdAtMs: nowMs,
        })),
      caps: [
        {
          id: `cap:tenant/${tenant}/day`,
          scope: 'tenant',
          subject: tenant,
          unit: 'CNY',
          period: 'day',
          amount: `${50n * YUAN}`,
          used: `${12n * YUAN}`,
          held: '0',
          fromMs: nowMs - DAY_MS,
          toMs: nowMs + DAY_MS,
        },
      ],
      reservations: [],
      sharesWith: [],
      sharesOf: [],
    }),
    quote: (tenant, offerId, atMs) => ({
      id: `quo_${atMs}`,
      tenant,
      offer: offerId,
      configuration: {},
      ...priced,
      fromMs: atMs,
      toMs: atMs + 30 * DAY_MS,
      createdAtMs: atMs,
      expiresAtMs: atMs + 900_000,
      order: null,
    }),
    order(tenant, atMs) {
      const id = `ord_${commerce.orders.length + 1}`
      const transitions = [{ from: null, to: 'completed', atMs, by: 'operator@example.com', reason: 'ordered' }]
      const common = { tenant, offer: offer.id, configuration: {}, transitions }
      const { grossPico, netPico, taxPico } = priced
      const order: OrderView = {
        ...common,
        ...{ id, grossPico, netPico, taxPico },
        idempotencyKey: id,
        action: 'add',
        cause: 'order',
        quote: null,
        subscription: `sub_${id}`,
        state: 'completed',
        refundPico: '0',
        createdAtMs: atMs,
        endedAtMs: atMs,
        failure: null,
      }
      const endsAtMs = atMs + 30 * DAY_MS
      commerce.orders.unshift(order)
      commerce.subscriptions.unshift({
        ...common,
        id: `sub_${id}`,
        state: 'active',
        startsAtMs: atMs,
        endsAtMs,
        autoRenew: false,
        next: null,
        entitlements,
        members: [],
        invited: [],
        terms: [
          {
            ...{ seq: 1, fromMs: atMs, toMs: endsAtMs, grossPico, netPico, taxPico },
            refundedPico: '0',
            order: id,
            offer: offer.id,
            feeReference: `fee:${id}`,
          },
        ],
      })
      return order
    },
    reconcile: (day) => ({
      day,
      ok: day.endsWith('1'),
      services: [
        {
          service: 'deepseek-v3.2',
          requests: 18,
          producedTokens: '9007199254740993',
          costPico: '92800000',
          ratedPico: '301000000',
          postedPico: day.endsWith('1') ? '301000000' : '300000000',
          giftPico: '0',
          billedPico: '0',
          toBeBilledPico: day.endsWith('1') ? '301000000' : '300000000',
        },
      ],
      differences: day.endsWith('1')
        ? []
        : [
            {
              stage: 'posted',
              service: 'deepseek-v3.2',
              posting: 'pst_1',
              expected: '301000000',
              found: '300000000',
              requests: [REQUEST],
            },
          ],
    }),
  }
  return commerce
}

function mockDocument(nowMs: number): DocumentReply {
  const party = { uscc: null, address: null, phone: null, bank: null, bankAccount: null, email: null, termsDays: 30 }
  const amounts = { gross: '12.34', net: '11.64', tax: '0.70', due: '12.34' }
  return {
    id: 'doc_1',
    kind: 'invoice',
    tenant: 'acme',
    period: '2026-10',
    state: 'sent',
    number: 'INV-2026-000001',
    corrects: null,
    reason: null,
    ...amounts,
    covered: '0.00',
    issuedAtMs: nowMs - 10 * DAY_MS,
    dueAtMs: nowMs + 20 * DAY_MS,
    dunning: 'none',
    seller: { ...party, name: '词元工厂示例有限公司' },
    buyer: { ...party, name: '极目智能' },
    lines: [
      {
        position: 1,
        description: 'DeepSeek V3.2',
        service: 'deepseek-v3.2',
        sheet: 'deepseek-v3.2:2026-01-01',
        period: '2026-10',
        requests: 1,
        tokens: '990',
        taxPercent: 6,
        grossPico: '12340000000000',
        ...amounts,
      },
    ],
    allocations: [],
    fapiaos: [],
  }
}
