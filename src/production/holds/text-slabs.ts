const SLAB_BYTES = 262_144

/**
 * Puts texts into large buffers outside the JavaScript heap. While charging is slow or away, tens of thousands of records wait;
 * as strings the garbage collector would copy and mark them again and again (measured: a fifth of a gateway's CPU at a backlog
 * of 40,000). A slab is freed when the last of its texts is.
 */
export function createTextSlabs(): (text: string) => Buffer {
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  let used = 0
  return (text) => {
    // Three bytes per UTF-16 unit is the most UTF-8 takes.
    const most = text.length * 3
    if (most > SLAB_BYTES) return Buffer.from(text)
    if (used + most > slab.length) {
      slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      used = 0
    }
    const length = slab.write(text, used)
    const kept = slab.subarray(used, used + length)
    used += length
    return kept
  }
}
