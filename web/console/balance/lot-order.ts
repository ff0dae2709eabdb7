import type { LotView } from '#contract'

/** The place of each lot that can be burned, from 1, within what is kept in its unit: as charging burns them. */
export function burnOrder(lots: readonly LotView[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>()
  const live = lots.filter(({ state, remaining }) => state === 'active' && remaining !== '0')
  for (const ofUnit of Map.groupBy(live, ({ unit }) => unit).values())
    for (const [index, { id }] of ofUnit.toSorted(compare).entries()) places.set(id, index + 1)
  return places
}

function compare(a: LotView, b: LotView): number {
  if (a.priority !== b.priority) return a.priority - b.priority
  const [left, right] = [a.expiresAtMs ?? Infinity, b.expiresAtMs ?? Infinity]
  if (left !== right) return left < right ? -1 : 1
  return a.id < b.id ? -1 : 1
}
