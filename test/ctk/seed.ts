import * as z from 'zod'
import { GrantReply, RegisterReply } from '#contract'
import type { UsageRecord } from '#contract'
import { netOfTax, pico, sortableId } from '#kernel'
import { recordOf } from '../control.ts'
import type { Plane } from './plane.ts'

/** The tenant whose wallet and account the kits work with. */
export const TENANT = 'acme'

const DOCUMENT = `suppliers:
  - { id: vendor, kind: openai-compatible, baseUrl: http://127.0.0.1:9/v1, apiKeyEnv: VENDOR_KEY }
tenants:
  - { id: ${TENANT}, name: Acme, topups: [{ reference: opening, amountYuan: 1000 }] }
keys:
  - { id: acme-key, tenant: ${TENANT} }
services:
  - id: chat
    contextTokens: 4096
    maxOutputTokens: 1024
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell: [{ id: sell-1, validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2, output: 8 } }]
    deployments:
      - { supplier: vendor, model: chat-1, buy: [{ id: buy-1, validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 4 } }] }
tables:
  - { id: std, versions: [{ validFrom: 2026-01-01, weights: [{ service: chat, perToken: { uncachedInput: 1, output: 4 } }] }] }
offers:
  - { id: pack, name: Pack, kind: package, taxPercent: 6, table: std, units: 1000, priceYuan: 2.12, valid: { days: 30 } }
`

/** What the kits expect to find: they read bills, products and usage before, or without ever, creating any. */
export async function seed(plane: Plane): Promise<void> {
  await plane.call('POST', '/api/v1/apply', { document: DOCUMENT, fileName: 'ctk.yaml' })
  await useTokens(plane)
  await plane.call('POST', '/api/v1/billing/seller', { name: 'Token Factory', uscc: '9164010035A1B2C3DH' })
  // A bill of last month that is not issued yet: the kit holds it back.
  const bills = await plane.call('POST', '/api/v1/invoices/run', { tenant: TENANT, hold: true })
  z.object({ documents: z.array(z.unknown()).min(1) }).parse(bills)
  const relatedParty = [{ id: TENANT, role: 'customer', '@referredType': 'Organization' }]
  // One product that the factory sells, and one of the BSS's own.
  const order = await plane.call('POST', '/tmf-api/productOrderingManagement/v4/productOrder', {
    relatedParty,
    productOrderItem: [{ id: '1', action: 'add', productOffering: { id: 'offer:pack' } }],
  })
  z.object({ state: z.literal('completed') }).parse(order)
  await plane.call('POST', '/tmf-api/productInventory/v4/product', {
    name: 'Business line',
    status: 'active',
    billingAccount: { id: `tenant:${TENANT}` },
    productOffering: { id: 'payg:chat' },
    productCharacteristic: [{ name: 'bandwidth', value: 100 }],
    productPrice: [{ priceType: 'recurring', price: { taxIncludedAmount: { unit: 'CNY', value: 99.5 } } }],
    relatedParty,
  })
}

const DAY_MS = 86_400_000

/** Requests of the last month, as a gateway reports them. */
async function useTokens(plane: Plane): Promise<void> {
  const internal = (path: string, body: unknown) => plane.call('POST', `/internal/v1${path}`, body, plane.internalToken)
  const gateway = 'gw-ctk'
  const { epoch } = RegisterReply.parse(await internal('/gateways/register', { gateway, journal: 'journal-of-ctk' }))
  const grant = { gateway, epoch, seq: 1, bucket: `wallet:${TENANT}`, min: '10000000000000', want: '10000000000000' }
  const reply = GrantReply.parse(await internal('/slices/grant', grant))
  if (reply.outcome !== 'granted') throw new Error(`no slice: ${reply.outcome}`)
  const nowMs = Date.now()
  const records = [1, 2, 3].map((number) => {
    const acceptedAtMs = nowMs - 31 * DAY_MS + number
    const id = `req_${sortableId(acceptedAtMs, () => number)}`
    return {
      ...scaled(recordOf(id, TENANT, reply.slice.id)),
      ...{ gateway, epoch, service: 'chat', supplier: 'vendor', model: 'chat-1', buySheet: 'buy-1' },
      ...{ acceptedAtMs, completedAtMs: acceptedAtMs + 900 },
    }
  })
  const { accepted } = z.object({ accepted: z.int() }).parse(await internal('/usage', { gateway, records }))
  if (accepted !== records.length) throw new Error(`${accepted} of ${records.length} records were accepted`)
}

/** A thousand times the tokens, so that a bill comes to more than a fen. */
function scaled(record: UsageRecord): UsageRecord {
  const tokens = {
    ...record.tokens,
    uncachedInput: record.tokens.uncachedInput * 1_000,
    output: record.tokens.output * 1_000,
  }
  const sell = pico(BigInt(record.sellPico) * 1_000n)
  return {
    ...record,
    tokens,
    reported: tokens,
    counted: { input: tokens.uncachedInput, output: tokens.output, method: 'estimate' },
    holdPico: `${sell * 2n}`,
    sellPico: `${sell}`,
    taxPico: `${sell - netOfTax(sell, 6)}`,
    buyPico: `${BigInt(record.buyPico) * 1_000n}`,
  }
}
