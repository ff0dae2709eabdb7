import type { Snapshot } from '#contract'
import { keyOf } from '#scheduler'

/** Places in the scheduler's shared table, by the names that the scheduler asks for. */
export interface Places {
  assign(snapshot: Snapshot): ReadonlyMap<string, number>
}

/**
 * A place is kept for the life of the process: what was learned of a supplier's model that is away for a while still holds. When
 * `capacity` is used up all further ones share the last place, where they share a breaker and a limit too.
 */
export function createPlaces(capacity: number): Places {
  const places = new Map<string, number>()
  return {
    assign({ suppliers, services }) {
      const names = [
        ...suppliers.map(({ id }) => id),
        ...services.flatMap(({ deployments }) =>
          deployments.map(({ supplier, model }) => keyOf({ supplierId: supplier, model })),
        ),
      ]
      for (const name of names) if (!places.has(name)) places.set(name, Math.min(places.size, capacity - 1))
      return new Map(places)
    },
  }
}
