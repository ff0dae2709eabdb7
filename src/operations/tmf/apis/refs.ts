import { formatYuan } from '#kernel'
import { decimal } from '#platform/json'
import type { ExactObject } from '#platform/json'

/** How our own things are named in TM Forum's documents. The prefix keeps them apart from what the BSS names. */
export const ids = {
  service: (service: string) => `service:${service}`,
  payAsYouGo: (service: string) => `payg:${service}`,
  price: (sheet: string, part: string) => `price:${sheet}:${part}`,
  tenant: (tenant: string) => `tenant:${tenant}`,
  offerKind: (kind: string) => `kind:${kind}`,
  offer: (offer: string) => `offer:${offer}`,
  subscription: (subscription: string) => `sub:${subscription}`,
  wallet: (tenant: string) => `wallet:${tenant}`,
  tokens: (tenant: string, table: string) => `tokens:${tenant}/${table}`,
  supplier: (supplier: string) => `supplier:${supplier}`,
} as const

export const CURRENCY = 'CNY'

export function time(ms: number): string {
  return new Date(ms).toISOString()
}

export function period(fromMs: number, toMs: number | null): ExactObject {
  return { startDateTime: time(fromMs), ...(toMs === null ? {} : { endDateTime: time(toMs) }) }
}

export function money(amountPico: bigint): ExactObject {
  return { unit: CURRENCY, value: decimal(formatYuan(amountPico)) }
}

/** The same amount in the shape that balances use. */
export function quantity(amountPico: bigint): ExactObject {
  return { amount: decimal(formatYuan(amountPico)), units: CURRENCY }
}

export function href(api: string, resource: string, id: string): string {
  return `/tmf-api/${api}/v4/${resource}/${encodeURIComponent(id)}`
}

/** A reference as TMF630 has it. */
export function ref(to: { api: string; resource: string; type: string; id: string; name?: string }): ExactObject {
  const { api, resource, type, id, name } = to
  return { id, href: href(api, resource, id), ...(name === undefined ? {} : { name }), '@referredType': type }
}

/** Parties have no API of ours: they are named by their id alone. */
export function party(id: string, name: string, role: 'customer' | 'supplier'): ExactObject {
  return { id, name, role, '@referredType': 'Organization' }
}
