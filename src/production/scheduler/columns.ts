/**
 * What is known of several seats at once, a column per quantity, dense by seat. Each estimator has one loop over the picked seats:
 * a call per seat would return each of its numbers in a box of its own, which is most of what a decision among hundreds would cost.
 */
export interface Columns {
  /** How many seats have room here. */
  readonly room: number
  /** Where each seat's state is. */
  slots: Int32Array
  /** Seats under consideration: the first `count` entries. */
  readonly picked: Int32Array
  count: number
  readonly inFlight: Float64Array
  readonly uncachedTokens: Float64Array
  /** Own and waiting before it. */
  readonly tokensAhead: Float64Array
  readonly hitRate: Float64Array
  readonly missProbability: Float64Array
}

export function createColumns(room: number): Columns {
  const column = () => new Float64Array(room)
  return {
    room,
    slots: new Int32Array(room),
    picked: new Int32Array(room),
    count: 0,
    inFlight: column(),
    uncachedTokens: column(),
    tokensAhead: column(),
    hitRate: column(),
    missProbability: column(),
  }
}
