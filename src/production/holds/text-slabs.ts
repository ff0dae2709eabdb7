const SLAB_BYTES = 262_144

/**
 * Large buffers outside the JavaScript heap in which texts are put one behind another. While charging is slow or away, tens of
 * thousands of records wait; as strings the garbage collector would copy and mark them again and again (measured: a fifth of a
 * gateway's CPU at a backlog of 40,000). A slab is freed when the last of its texts is.
 */
export interface TextSlabs {
  /** Keeps what `write` writes from a place on, of which it returns the end; undefined where it says -1. `most` bytes have room. */
  fill(most: number, write: Write): Buffer | undefined
}

type Write = (slab: Buffer, from: number) => number

export function createTextSlabs(): TextSlabs {
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  let used = 0
  return {
    fill(most, write) {
      if (used + most > slab.length) {
        slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
        used = 0
      }
      const end = write(slab, used)
      if (end < 0) return undefined
      const kept = slab.subarray(used, end)
      used = end
      return kept
    },
  }
}
