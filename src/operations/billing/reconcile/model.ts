/** Sums of one day and service, in pico-yuan. */
export interface ServiceDay {
  readonly service: string
  readonly requests: number
  /** Tokens that suppliers produced, as gateways recorded them, and what they are owed for it. */
  readonly producedTokens: bigint
  readonly costPico: bigint
  /** What those tokens cost the tenants by the price sheets. */
  readonly ratedPico: bigint
  /** What of it is in the ledger: gifts, tax and revenue. */
  readonly postedPico: bigint
  readonly giftPico: bigint
  /** What is on documents, and what the next ones will bill. Together with gifts, all that was rated. */
  readonly billedPico: bigint
  readonly toBeBilledPico: bigint
}

/** Something that two stages do not say alike, and the requests behind it. */
export interface Difference {
  readonly stage: 'produced' | 'rated' | 'posted' | 'billed'
  readonly service: string
  readonly posting: string | null
  readonly expected: string
  readonly found: string
  /** At most a hundred. */
  readonly requests: readonly string[]
}

export interface Reconciliation {
  readonly day: string
  readonly ok: boolean
  readonly services: readonly ServiceDay[]
  readonly differences: readonly Difference[]
}

type Sums = { -readonly [Name in keyof ServiceDay]: ServiceDay[Name] }

export function emptyDay(service: string): Sums {
  const zero = { costPico: 0n, ratedPico: 0n, postedPico: 0n, giftPico: 0n, billedPico: 0n, toBeBilledPico: 0n }
  return { service, requests: 0, producedTokens: 0n, ...zero }
}
