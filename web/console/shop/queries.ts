import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { OfferView } from '#contract'
import { get } from '../../kit/api.ts'
import { freshReference } from '../../kit/fresh-reference.ts'
import { useScope } from '../../kit/scope.tsx'

export function useOffers() {
  const { tenantQuery } = useScope()
  return useQuery({
    queryKey: ['offers', tenantQuery],
    queryFn: ({ signal }) => get('/offers', z.array(OfferView), { query: { tenant: tenantQuery }, signal }),
  })
}

/** What an order, a change or an end of a subscription may have changed. */
export const CHANGED_BY_ORDERS = ['offers', 'orders', 'subscriptions', 'means', 'balance', 'ledger', 'tenants'] as const

/** The buyer's own name for what is ordered: sent again, nothing happens twice. */
export function newOrderKey(): string {
  return freshReference('console')
}
