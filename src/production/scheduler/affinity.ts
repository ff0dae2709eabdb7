import type { Columns } from './columns.ts'

const TTL_MS = 300_000
const PLACES = 8_192
const LOAD_FACTOR = 1.25
const GAIN = 0.05
const FIRST_WARM_HIT = 0.5

/**
 * Which endpoint has a prompt's beginning in its cache. Keys are salted with the tenant, so that one tenant's cache hits tell
 * another nothing. A direct-mapped memory: what collides is forgotten, which costs a guess. Scheduling reference §2.10.
 */
export interface Affinity {
  /** Zero: no key. */
  hash(tenant: string, prefixKey: string | undefined): number
  remember(key: number, slot: number, nowMs: number): void
  /** Where the key was served in the last five minutes; -1: nowhere. */
  warmSlot(key: number, nowMs: number): number
  /** Part of the input that is expected to be read from the cache there. */
  hitRate(slot: number, isWarm: boolean): number
  /** Into `hitRate`. */
  readHits(columns: Columns, warmSlot: number): void
  learn(slot: number, isWarm: boolean, cachedPart: number): void
}

export function createAffinity(slots: number): Affinity {
  const keys = new Uint32Array(PLACES)
  const where = new Int32Array(PLACES)
  const atMs = new Float64Array(PLACES)
  const warm = new Float64Array(slots).fill(FIRST_WARM_HIT)
  const cold = new Float64Array(slots)
  return {
    hash: (tenant, prefixKey) => (prefixKey === undefined ? 0 : hashText(`${tenant}\n${prefixKey}`) || 1),
    remember(key, slot, nowMs) {
      if (key === 0) return
      const place = key % PLACES
      keys[place] = key
      where[place] = slot
      atMs[place] = nowMs
    },
    warmSlot(key, nowMs) {
      const place = key % PLACES
      return key !== 0 && keys[place] === key && nowMs - (atMs[place] as number) <= TTL_MS
        ? (where[place] as number)
        : -1
    },
    readHits({ picked, count, slots, hitRate }, warmSlot) {
      for (let k = 0; k < count; k++) {
        const seat = picked[k] as number
        const slot = slots[seat] as number
        hitRate[seat] = (slot === warmSlot ? warm[slot] : cold[slot]) as number
      }
    },
    hitRate: (slot, isWarm) => (isWarm ? warm[slot] : cold[slot]) as number,
    learn(slot, isWarm, cachedPart) {
      const rates = isWarm ? warm : cold
      rates[slot] = (rates[slot] as number) + GAIN * (cachedPart - (rates[slot] as number))
    },
  }
}

/** Highest random weight of a key at an endpoint: all gateways agree on it without asking each other (rendezvous hashing). */
export function rendezvousWeight(key: number, slot: number): number {
  let mixed = (key ^ Math.imul(slot + 1, 0x9e3779b1)) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** The most that one of several may have under way: ⌈1.25 · (all + 1) · its part of the limits⌉ (bounded load). */
export function boundedLoad(allInFlight: number, limit: number, allLimits: number): number {
  return Math.ceil((LOAD_FACTOR * (allInFlight + 1) * limit) / allLimits)
}

/** FNV-1a, 32 bits: it spreads, it does not hide. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
