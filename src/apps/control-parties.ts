import type { SessionReply } from '#contract'
import type { Leg } from '#quality'
import { operatorsOnly } from './control-problems.ts'

/**
 * Whose quality may be seen: an operator sees everybody's; a tenant's user what the tenant was given; a supplier's what the supplier gave.
 * Asking for another's is refused without saying whether it exists.
 */
export function partyOf(
  { role, tenant, supplier }: SessionReply,
  { leg, party }: { readonly leg?: Leg | undefined; readonly party?: string | undefined },
): { readonly leg?: Leg; readonly party?: string } {
  if (role === 'operator') return { ...(leg === undefined ? {} : { leg }), ...(party === undefined ? {} : { party }) }
  const own =
    role === 'tenant' ? ({ leg: 'customer', party: tenant } as const) : ({ leg: 'supplier', party: supplier } as const)
  if (own.party === null || (leg !== undefined && leg !== own.leg) || (party !== undefined && party !== own.party))
    throw operatorsOnly({})
  return { leg: own.leg, party: own.party }
}
