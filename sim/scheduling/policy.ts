import type { AttemptOutcome } from '#contract'
import type { SimulatedMarket } from './market.ts'
import type { Draw } from './random.ts'

/** A request as a gateway sees it: nothing of how long its answer will be, nor of what its supplier is like. */
export interface Question {
  readonly tenant: number
  readonly slaClass: number
  readonly inputTokens: number
  /** The prompt, block by block. */
  readonly blocks: Int32Array
  readonly blockTokens: number
  readonly acceptedAtMs: number
  readonly nowMs: number
  /** Suppliers that were tried for it already. */
  readonly tried: readonly number[]
}

/** An attempt under way; `note` is whatever the policy wants to remember of it. */
export interface Attempt<Note = unknown> {
  readonly question: Question
  readonly supplier: number
  readonly beganMs: number
  note: Note | undefined
}

export interface Ending {
  readonly outcome: AttemptOutcome
  readonly nowMs: number
  readonly retryAfterMs?: number
}

/** What a gateway asks and tells. All of it is what passes over the wire. */
export interface Policy<Note = unknown> {
  /** Which supplier; -1: none may be used now. */
  pick(question: Question): number
  began(attempt: Attempt<Note>): void
  firstToken(attempt: Attempt<Note>, ms: number, nowMs: number): void
  ended(attempt: Attempt<Note>, ending: Ending): void
  /** An attempt that was served, with its bill. */
  settled(attempt: Attempt<Note>, used: Used): void
  /** Nobody served it. */
  lost(question: Question): void
  tick(nowMs: number): void
  /** Of the last that was picked: how probable it thought a miss; NaN: it has no opinion. */
  readonly missProbability: number
}

export interface Used {
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

/** What a policy knows of the world when it starts: the contracts, not the nature, of the suppliers. */
export interface Surroundings {
  readonly market: Pick<SimulatedMarket, 'links' | 'commitments' | 'promised'> & {
    readonly suppliers: readonly Pick<
      SimulatedMarket['suppliers'][number],
      'name' | 'region' | 'prices' | 'toldLimit'
    >[]
  }
  /** Where this gateway stands, and how many there are. */
  readonly region: string
  readonly gateways: number
  readonly random: Draw
}

export interface PolicyKind {
  readonly name: string
  readonly title: string
  make(around: Surroundings): Policy
}
