import type { ServiceTier } from '#contract'

/** What a request asks of the queue. */
export interface FlowAsk {
  readonly service: string
  readonly tier: ServiceTier
  readonly tenant: string
  /** Its tenant's part beside others. */
  readonly weight: number
  /** Estimate; charged when it starts. */
  readonly inputTokens: number
  /** The memory that waiting takes. */
  readonly bytes: number
  /** When its first token is due, by the queue's clock. */
  readonly deadlineMs: number
  /** How long it may wait. */
  readonly patienceMs: number
}

/** One request's place: waiting for a supplier, running at one, or over. */
export interface Turn<W> {
  readonly ask: FlowAsk
  readonly work: W
  state: 'new' | 'waiting' | 'running' | 'over'
  /** Who may serve it, by name: requests of one set wait for the same suppliers. */
  set: string
  sinceMs: number
  /** In the order of arrival, for what is equal else. */
  number: number
  /** Its order among its tenant's: when it is due, or has aged. */
  orderMs: number
  expiresAtMs: number
  account: Account<W> | undefined
  /** Weighted tokens charged to the account so far. */
  charged: number
}

/** What a queue has served a tenant, in weighted tokens divided by the tenant's weight. */
export interface Account<W> {
  readonly tenant: string
  weight: number
  served: number
  /** By `orderMs`. */
  readonly waiting: Turn<W>[]
  running: number
  usedAtMs: number
}

export function newTurn<W>(ask: FlowAsk, work: W): Turn<W> {
  return {
    ask,
    work,
    state: 'new',
    set: '',
    sinceMs: 0,
    number: 0,
    orderMs: 0,
    expiresAtMs: 0,
    account: undefined,
    charged: 0,
  }
}
