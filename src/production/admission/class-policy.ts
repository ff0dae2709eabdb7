import type { ServiceTier } from '#contract'

/** The classes of service; the first goes first. */
export const CLASSES = ['priority', 'standard', 'flex', 'batch'] as const satisfies readonly ServiceTier[]

/** A class's place among `CLASSES`: lower goes first. */
export const RANKS: Readonly<Record<ServiceTier, number>> = { priority: 0, standard: 1, flex: 2, batch: 3 }

/** How a class is treated while suppliers are short. */
export interface ClassPolicy {
  /** How full a supplier may be, with everybody's requests, for this class to use it: the rest is held back for higher classes. */
  readonly ceiling: number
  /** Requests of one service that may wait. */
  readonly maxWaiting: number
  /** A request that has waited this long is due, whatever its tenant's other requests are due at. */
  readonly agingMs: number
  /** Gives its place up to a higher class while nothing of its answer has come. */
  readonly yields: boolean
}

export type ClassPolicies = Readonly<Record<ServiceTier, ClassPolicy>>

/** Ceilings, queue bounds and aging as the peers have settled on them (llm-d's priority holdback, SGLang's priority scheduler). */
export const CLASS_POLICIES: ClassPolicies = {
  priority: { ceiling: 1, maxWaiting: 256, agingMs: 5_000, yields: false },
  standard: { ceiling: 0.95, maxWaiting: 512, agingMs: 5_000, yields: false },
  flex: { ceiling: 0.85, maxWaiting: 512, agingMs: 120_000, yields: true },
  batch: { ceiling: 0.7, maxWaiting: 1024, agingMs: 120_000, yields: true },
}

/** The same with some ceilings and queue bounds of the operator's own. */
export function withPolicies(
  policies: ClassPolicies,
  own: {
    readonly ceilings: Partial<Record<ServiceTier, number>>
    readonly queues: Partial<Record<ServiceTier, number>>
  },
): ClassPolicies {
  const of = (tier: ServiceTier): ClassPolicy => ({
    ...policies[tier],
    ceiling: own.ceilings[tier] ?? policies[tier].ceiling,
    maxWaiting: own.queues[tier] ?? policies[tier].maxWaiting,
  })
  return { priority: of('priority'), standard: of('standard'), flex: of('flex'), batch: of('batch') }
}

/** How much of a supplier a class may see in use and still join: so much of its limit, and one less for each higher class sold there. */
export interface Ceiling {
  readonly part: number
  readonly higherClasses: number
}

/** The whole supplier. */
export const NO_CEILING: Ceiling = { part: 1, higherClasses: 0 }

/** How many requests, its own among them, a class may see running at a supplier of this limit. A class always gets one. */
export function roomUnder({ part, higherClasses }: Ceiling, limit: number): number {
  // A limit of 20 under 0.95 is 19, however the product rounds.
  return part >= 1 ? limit : Math.max(1, Math.min(Math.floor(limit * part + 1e-9), Math.floor(limit) - higherClasses))
}

/**
 * The ceilings in force at a supplier that serves these classes: nothing is held back for a class that is not sold there, so a
 * factory that sells one class uses all that it has.
 */
export function ceilingsFor(sold: ReadonlySet<ServiceTier>, policies: ClassPolicies): readonly Ceiling[] {
  return CLASSES.map((tier, rank) => {
    const higherClasses = CLASSES.filter((other, place) => place < rank && sold.has(other)).length
    return higherClasses === 0 ? NO_CEILING : { part: policies[tier].ceiling, higherClasses }
  })
}
