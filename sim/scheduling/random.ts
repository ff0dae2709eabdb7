/** Uniform numbers in [0, 1) that are the same for the same seed. */
export type Draw = () => number

/** One stream of numbers per purpose, so that what one policy draws more of shifts nothing for another (common random numbers). */
export function stream(seed: number, purpose: string): Draw {
  let [a, b, c, d] = [0x9e3779b9 ^ seed, 0x243f6a88, hashText(purpose), 1]
  const next = (): number => {
    // sfc32, from PractRand: 128 bits of state, period of at least 2^32.
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 16; i++) next()
  return next
}

/** The number that belongs to this request at this supplier, whenever and however often it is asked for. */
export function uniformOf(seed: number, request: number, supplier: number, purpose: number): number {
  let mixed = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(request + 1, 0x85ebca6b)
  mixed ^= Math.imul(supplier + 1, 0xc2b2ae35) ^ Math.imul(purpose + 1, 0x27d4eb2f)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 4_294_967_296
}

export function exponential(draw: Draw, mean: number): number {
  return -mean * Math.log(1 - draw())
}

/** Box-Muller on two uniform numbers. */
export function normalFrom(one: number, other: number): number {
  return Math.sqrt(-2 * Math.log(1 - one)) * Math.cos(2 * Math.PI * other)
}

/** Marsaglia and Tsang; below shape 1 by boosting. */
export function gamma(draw: Draw, shape: number, scale: number): number {
  if (shape < 1) return gamma(draw, shape + 1, scale) * (1 - draw()) ** (1 / shape)
  const d = shape - 1 / 3
  for (;;) {
    const x = normalFrom(draw(), draw())
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(1 - draw()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v * scale
  }
}

function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}
