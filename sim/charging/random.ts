/** Numbers that look random and are the same for the same seed, after Marsaglia's xorshift with 32 bits of state. */
export interface Random {
  /** An integer in [0, below). */
  below(below: number): number
  chance(percent: number): boolean
  pick<T>(choices: readonly T[]): T
}

export function random(seed: number): Random {
  // A state of zero would stay zero, and seeds that follow one another must not give sequences that do.
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bf03635) | 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  for (let i = 0; i < 8; i++) next()
  const below = (limit: number): number => next() % limit
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: (choices) => choices[below(choices.length)] as never,
  }
}
