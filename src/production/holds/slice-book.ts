import type { Recovered } from './entries.ts'
import { heldSlice } from './model.ts'
import type { HeldSlice } from './model.ts'

/** Every slice that the journal knows, in any phase, and how many records count on each. */
export interface SliceBook {
  readonly all: Map<string, HeldSlice>
  /** A record that names these is on its way to the journal and to charging. */
  recorded(named: readonly string[]): void
  /** Charging has a record that names these, or has set it aside, so that it counts on none. Returns the slices. */
  acknowledged(named: readonly string[], isQuarantined: boolean): readonly HeldSlice[]
}

/** What an earlier life held takes nothing more: it is given back when its records are acknowledged. */
export function createSliceBook(recovered: Recovered, nowMs: number): SliceBook {
  const all = new Map(
    recovered.slices.map(({ slice, records }): [string, HeldSlice] => [
      slice.id,
      { ...heldSlice(slice, nowMs), phase: 'draining', left: 0n, records },
    ]),
  )
  const known = (named: readonly string[]): readonly HeldSlice[] => {
    const found: HeldSlice[] = []
    for (const id of named) {
      const held = all.get(id)
      if (held) found.push(held)
    }
    return found
  }
  for (const { slices } of recovered.unshipped) for (const held of known(slices)) held.unshipped++
  return {
    all,
    recorded(named) {
      for (const id of named) {
        const held = all.get(id)
        if (!held) continue
        held.records++
        held.unshipped++
      }
    },
    acknowledged(named, isQuarantined) {
      const counted = known(named)
      for (const held of counted) {
        held.unshipped--
        if (isQuarantined) held.records--
      }
      return counted
    },
  }
}
