import type { OfferView } from '#contract'
import { Problem } from '#kernel'
import type { Charging } from '#charging'
import type { Identity } from '#identity'
import type { Clock } from '#platform/clock'
import type { Database, Queryable } from '#platform/postgres'
import type { Log } from '#platform/log'

/** What orders do to money and means, each within the transaction of the order itself. */
type Money = Pick<
  Charging,
  | 'lockAccounts'
  | 'openAccount'
  | 'chargeFee'
  | 'refundFee'
  | 'grantLot'
  | 'revokeLot'
  | 'putDefinition'
  | 'endDefinition'
  | 'putShare'
  | 'endShare'
>

export interface OrderingDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  readonly identity: Identity
  readonly money: Money
  /** Throws `unknown_offer`. */
  readonly offerById: (db: Queryable, id: string) => Promise<OfferView>
}

/** Who does something, for the record, and whether as an operator. */
export interface Actor {
  readonly by: string
  readonly isOperator: boolean
}

/** Jobs act in nobody's name. */
export const THE_FACTORY: Actor = { by: 'tokenfactory', isOperator: true }

/** What a refusal by charging says about an order that fails because of it; anything else is a bug or a broken database. */
export function failureOf(error: unknown): { readonly code: string; readonly detail: string } | undefined {
  return error instanceof Problem ? { code: error.type.code, detail: error.message } : undefined
}
