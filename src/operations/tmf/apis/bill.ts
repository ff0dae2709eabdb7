import type { Identity } from '#identity'
import { Problem, fenToPico, periodOfKey } from '#kernel'
import { decimal } from '#platform/json'
import type { ExactObject } from '#platform/json'
import type { Api, Kind } from '../engine/kind.ts'
import { few, many } from '../engine/own.ts'
import type { Own } from '../engine/own.ts'
import type { Resource } from '../engine/resource.ts'
import * as types from '../types/bill.ts'
import { billingAccountRef } from './account.ts'
import { refuse } from './amounts.ts'
import type { BillDocument, BillLine, Bills } from './bill-port.ts'
import { ids, money, party, period, ref, time } from './refs.ts'

const API = 'customerBillManagement'
const BY = 'business support system'
const CYCLE_ID = 'factory:month'
export interface BillRooms {
  readonly identity: Identity
  readonly billing: Bills
}

/** TMF678: documents of ours are bills, their lines what was applied. A BSS may hold one back, issue it, or have one made. */
export function billApi(rooms: BillRooms): Api {
  const { billing } = rooms
  return {
    name: API,
    kinds: [
      { type: types.customerBill, own: bills(billing), ownPatch: (id, changes) => decide(billing, id, changes) },
      onDemand(rooms),
      { type: types.appliedCustomerBillingRate, own: rates(billing) },
      { type: types.billCycle, own: few(async () => [cycle()]) },
    ],
  }
}

const ofTenant = (account: string): string => account.replace(/^tenant:/, '')

/** Oldest first, so that pages stay where they are. */
function bills(billing: Bills): Own {
  return many({
    searched: {
      id: { by: 'ids' },
      state: { by: 'states' },
      'billingAccount.id': { by: 'tenants', from: ofTenant },
      'relatedParty.id': { by: 'tenants' },
    },
    async page(search, page) {
      const { documents, total } = await billing.documentPage({ ...search, ...page })
      return { items: documents.map((document) => billOf(document)), total }
    },
    find: (id) => oneBill(billing, id),
  })
}

function rates(billing: Bills): Own {
  const page = async (query: Parameters<Bills['linePage']>[0]) => {
    const { lines, total } = await billing.linePage(query)
    return { items: lines.map(({ document, line }) => rateOf(document, line)), total }
  }
  return many({
    searched: { id: { by: 'ids' }, 'billingAccount.id': { by: 'tenants', from: ofTenant } },
    page: (search, { offset, limit }) => page({ ...search, offset, limit }),
    find: async (id) => (await page({ ids: [id], offset: 0, limit: 1 })).items[0],
  })
}

async function oneBill(billing: Bills, id: string): Promise<Resource | undefined> {
  try {
    const { document, allocations } = await billing.document(id)
    return billOf(document, allocations)
  } catch (error) {
    if (error instanceof Problem && error.type.status === 404) return undefined
    throw error
  }
}

function billRef(id: string): ExactObject {
  return ref({ api: API, resource: 'customerBill', type: 'CustomerBill', id })
}

const fen = (amount: bigint): ExactObject => money(fenToPico(amount))

function billOf(
  document: BillDocument,
  allocations: Awaited<ReturnType<Bills['document']>>['allocations'] = [],
): Resource {
  const { id, kind, tenant, state, number, grossFen, netFen, taxFen, dueFen, coveredFen, issuedAtMs, dueAtMs } =
    document
  const attributes = {
    category: kind,
    runType: 'onCycle',
    state,
    ...(number === null ? {} : { billNo: number }),
    billDate: time(issuedAtMs ?? document.createdAtMs),
    lastUpdate: time(issuedAtMs ?? document.createdAtMs),
    ...(dueAtMs === null ? {} : { paymentDueDate: time(dueAtMs) }),
    billingPeriod: monthOf(document.period),
    amountDue: fen(dueFen),
    remainingAmount: fen(dueFen - coveredFen),
    taxExcludedAmount: fen(netFen),
    taxIncludedAmount: fen(grossFen),
    taxItem: [{ taxCategory: 'VAT', taxAmount: fen(taxFen) }],
    billDocument: [{ id, name: `${number ?? id}.pdf`, mimeType: 'application/pdf', url: `/api/v1/invoices/${id}/pdf` }],
    billCycle: ref({ api: API, resource: 'billCycle', type: 'BillCycle', id: CYCLE_ID }),
    billingAccount: billingAccountRef(tenant, document.buyer.name),
    relatedParty: [party(tenant, document.buyer.name, 'customer')],
    ...(allocations.length > 0 ? { appliedPayment: allocations.map(appliedPayment) } : {}),
  }
  return { id, attributes }
}

function appliedPayment(of: { readonly source: string; readonly fen: bigint; readonly atMs: number }): ExactObject {
  return { appliedAmount: fen(of.fen), payment: { id: of.source, paymentDate: time(of.atMs) } }
}

function monthOf(key: string): ExactObject {
  const bounds = periodOfKey('month', key)
  return bounds ? period(bounds.fromMs, bounds.toMs) : {}
}

/** The only change that a bill of ours takes from outside: to be held back, or to be issued after all. */
async function decide(billing: Bills, id: string, changes: ExactObject): Promise<Resource | undefined> {
  const { state, ...others } = changes
  const [other] = Object.keys(others)
  if (other !== undefined) refuse(other, 'is not changed here')
  if (state !== 'onHold' && state !== 'sent') refuse('state', 'can be set to onHold or sent')
  const before = await oneBill(billing, id)
  if (before && before.attributes['state'] !== state) await billing.decide({ id, wanted: state, by: BY })
  return oneBill(billing, id)
}

/** A bill for the last month that is over. What there is already is not made again. */
function onDemand({ identity, billing }: BillRooms): Kind {
  return {
    type: types.customerBillOnDemand,
    async onCreate(_tx, draft, { nowMs }) {
      await accountTenant(identity, draft['billingAccount'])
      return { state: 'inProgress', lastUpdate: time(nowMs) }
    },
    async afterCreate({ attributes }) {
      if (attributes['state'] !== 'inProgress') return undefined
      const tenant = await accountTenant(identity, attributes['billingAccount'])
      const { documents, failures } = await billing.run({ tenant, by: BY })
      const [failure] = failures
      if (failure) return { state: 'rejected', description: `${failure.code}: ${failure.detail}` }
      const [document] = documents
      return { state: 'done', ...(document ? { customerBill: billRef(document.id) } : {}) }
    },
  }
}

async function accountTenant(identity: Identity, value: unknown): Promise<string> {
  const id =
    typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string' ? value.id : ''
  const tenant = /^tenant:(.+)$/.exec(id)?.[1]
  const [known] = tenant === undefined ? [] : await identity.tenants(tenant)
  return known?.id ?? refuse('billingAccount.id', 'no account of a customer of ours')
}

function rateOf(document: BillDocument, line: BillLine): Resource {
  const { position, description, service, requests, tokens, taxPercent, grossFen, netFen, taxFen } = line
  const count = (name: string, value: string): ExactObject => ({ name, valueType: 'number', value: decimal(value) })
  const attributes = {
    name: description,
    appliedBillingRateType: 'appliedBillingCharge',
    isBilled: document.issuedAtMs !== null,
    date: time(document.issuedAtMs ?? document.createdAtMs),
    periodCoverage: monthOf(line.period),
    taxIncludedAmount: fen(grossFen),
    taxExcludedAmount: fen(netFen),
    appliedTax: [{ taxCategory: 'VAT', taxRate: decimal(`${taxPercent}`), taxAmount: fen(taxFen) }],
    characteristic: [count('requests', `${requests}`), count('tokens', `${tokens}`)],
    bill: billRef(document.id),
    billingAccount: billingAccountRef(document.tenant),
    ...(service === null ? {} : { product: { id: ids.payAsYouGo(service), name: service } }),
  }
  return { id: `${document.id}:${position}`, attributes }
}

function cycle(): Resource {
  return { id: CYCLE_ID, attributes: { name: 'Calendar month in China', billingPeriod: 'month' } }
}
