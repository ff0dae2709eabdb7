import type { Budgets, FactoryKey, FactoryTenant } from '#contract'
import { parseYuan } from '#kernel'

/** A spend cap as charging files it: refilled by the day or the month, for ever until it is ended. */
export interface Cap {
  readonly id: string
  readonly tenant: string
  readonly kind: 'cap'
  readonly unit: 'CNY'
  readonly period: 'day' | 'month'
  readonly amount: bigint
  readonly validFromMs: number
  readonly validToMs: number | null
}

/** Of a tenant and its projects. */
export function capsOfTenant({
  id,
  budgets,
  projects,
}: Pick<FactoryTenant, 'id' | 'budgets' | 'projects'>): readonly Cap[] {
  return [
    ...capsOf(`tenant/${id}`, id, budgets),
    ...projects.flatMap((project) => capsOf(`project/${id}/${project.id}`, id, project.budgets)),
  ]
}

export function capsOfKey({ id, tenant, budgets }: Pick<FactoryKey, 'id' | 'tenant' | 'budgets'>): readonly Cap[] {
  return capsOf(`key/${id}`, tenant, budgets)
}

/** The tenant of a tenant's or project's cap, the key of a key's. */
export function ownerOf(capId: string): string {
  return capId.split('/')[1] ?? ''
}

/** Charging knows by the id what is capped: `cap:<whose>/<period>`. */
function capsOf(whose: string, tenant: string, { dayYuan, monthYuan }: Budgets): readonly Cap[] {
  const cap = (period: Cap['period'], yuan: string | undefined): readonly Cap[] =>
    yuan === undefined
      ? []
      : [
          {
            id: `cap:${whose}/${period}`,
            tenant,
            kind: 'cap',
            unit: 'CNY',
            period,
            amount: parseYuan(yuan),
            validFromMs: 0,
            validToMs: null,
          },
        ]
  return [...cap('day', dayYuan), ...cap('month', monthYuan)]
}
