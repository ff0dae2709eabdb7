import type { Snapshot } from '#contract'
import type { Limits } from '#admission'

/** What workers are told: the snapshot as far as the limit table has room for it, and everybody's place in it. */
export interface SlottedSnapshot {
  readonly snapshot: Snapshot
  readonly slots: ReadonlyMap<string, number>
  /** Keys, tenants and suppliers that found no place and are left out, so that nobody is served without limits. */
  readonly leftOut: readonly string[]
}

export interface Slots {
  assign(snapshot: Snapshot): SlottedSnapshot
}

/**
 * Places in the limit table. A supplier keeps its place for the life of the process, because its connections remember it. A key
 * or tenant that two snapshots in a row no longer name gives its place up once its last request has ended; places are given out
 * again as late as possible, and clean.
 */
export function createSlots(capacity: number, limits: Pick<Limits, 'running' | 'reset'>): Slots {
  const slots = new Map<string, number>()
  const free: number[] = []
  let absent = new Set<string>()
  let fresh = 0

  const take = (): number | undefined => {
    if (fresh < capacity) return fresh++
    const slot = free.shift()
    if (slot !== undefined) limits.reset(slot)
    return slot
  }
  const giveUp = (named: ReadonlySet<string>) => {
    const gone = [...slots.keys()].filter((name) => !named.has(name) && !name.startsWith('supplier:'))
    for (const name of gone) {
      const slot = slots.get(name)
      if (slot === undefined || !absent.has(name) || limits.running(slot) !== 0) continue
      slots.delete(name)
      free.push(slot)
    }
    absent = new Set(gone)
  }

  return {
    assign(snapshot) {
      // Living keys first: a place that a revoked one misses costs nobody anything.
      const keys = snapshot.keys.toSorted((a, b) => Number(a.status === 'revoked') - Number(b.status === 'revoked'))
      const names = [
        ...snapshot.suppliers.map(({ id }) => `supplier:${id}`),
        ...snapshot.tenants.map(({ id }) => `tenant:${id}`),
        ...keys.map(({ id }) => `key:${id}`),
      ]
      giveUp(new Set(names))
      const leftOut: string[] = []
      for (const name of names) {
        if (slots.has(name)) continue
        const slot = take()
        if (slot === undefined) leftOut.push(name)
        else slots.set(name, slot)
      }
      const told = new Map(slots)
      if (leftOut.length === 0) return { snapshot, slots: told, leftOut }
      const has = (kind: string) => (one: { readonly id: string }) => slots.has(`${kind}:${one.id}`)
      return {
        leftOut,
        slots: told,
        snapshot: {
          ...snapshot,
          suppliers: snapshot.suppliers.filter(has('supplier')),
          tenants: snapshot.tenants.filter(has('tenant')),
          keys: snapshot.keys.filter(has('key')),
        },
      }
    },
  }
}
