import type { TokenClaim } from '#quality'
import { random } from '../charging/random.ts'

/** Numbers in [0, 1) of the shared generator. */
function fractions(seed: number): () => number {
  const { below } = random(seed)
  return () => below(2 ** 32) / 2 ** 32
}

/**
 * Answers of 20 to 2,000 tokens, most of them short. One in thirty is counted a token higher or lower, as stop texts are cut; one in
 * five hundred up to 20 tokens higher, as calls of tools are written anew.
 */
export function* honestRequests({ seed }: { readonly seed: number }): Generator<TokenClaim> {
  const next = fractions(seed)
  for (;;) {
    const counted = Math.round(20 * Math.exp(next() * Math.log(100)))
    const noise = next() < 1 / 30 ? (next() < 0.5 ? -1 : 1) : 0
    const rewritten = next() < 1 / 500 ? 5 + Math.floor(next() * 16) : 0
    yield { reported: counted + noise + rewritten, counted }
  }
}

/** The same, with so many percent on top of a share of the requests; parts of a token are rounded up or down by chance. */
export function* inflatedRequests({
  seed,
  percent,
  share = 1,
}: {
  readonly seed: number
  readonly percent: number
  readonly share?: number
}): Generator<TokenClaim> {
  const next = fractions(seed + 7001)
  for (const { reported, counted } of honestRequests({ seed })) {
    const added = next() < share ? (counted * percent) / 100 : 0
    yield { reported: reported + Math.floor(added + next()), counted }
  }
}
