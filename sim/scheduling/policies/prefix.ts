import { createPrefixCache } from '../prefix-cache.ts'
import type { Attempt, Question } from '../policy.ts'
import { baseline, least } from './baseline.ts'

/** What a gateway believes to be in each supplier's cache, from its own decisions: nobody tells it what was thrown out. */
const SHADOW_BLOCKS = 16_384
const LOAD_FACTOR = 1.25

function shadowIndex(suppliers: number) {
  const caches = Array.from({ length: suppliers }, () => createPrefixCache(SHADOW_BLOCKS))
  return {
    matched: (supplier: number, { blocks }: Question) => caches[supplier]!.leading(blocks),
    began: ({ supplier, question }: Attempt) => caches[supplier]!.keep(question.blocks),
  }
}

/** The conversation: the first block is often everybody's system prompt. Without blocks, the tenant. */
function keyOf({ blocks, tenant }: Question): number {
  return blocks.length === 0 ? tenant : Math.imul(blocks[0]! + 1, 0x9e3779b1) ^ (blocks[1] ?? 0)
}

function weightOf(key: number, supplier: number): number {
  let mixed = key ^ Math.imul(supplier + 1, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Each conversation has its supplier (rendezvous hashing), whatever the load there. */
export const hashed = baseline('hash', 'consistent hash', () => ({
  pick(among, question) {
    const key = keyOf(question)
    return least(among, (each) => -weightOf(key, each))
  },
}))

/** Consistent hashing with bounded loads (Mirrokni 2018; KubeAI): past 1.25 times the mean, the next in the key's own order. */
export const chwbl = baseline('chwbl', 'CHWBL 1.25', (_, { inFlight }) => ({
  pick(among, question) {
    const key = keyOf(question)
    const all = among.reduce((sum, each) => sum + inFlight[each]!, 0)
    const most = Math.ceil((LOAD_FACTOR * (all + 1)) / among.length)
    const open = among.filter((each) => inFlight[each]! < most)
    return least(open.length > 0 ? open : among, (each) => -weightOf(key, each))
  },
}))

/** SGLang's gateway: to the best match above half, unless loads are out of balance; then, and without a match, to the least loaded. */
export const cacheAware = baseline('smg', 'smg cache-aware', ({ market, random }, { inFlight }) => {
  const index = shadowIndex(market.suppliers.length)
  return {
    pick(among, question) {
      const loads = among.map((each) => inFlight[each]!)
      const [lowest, highest] = [Math.min(...loads), Math.max(...loads)]
      const isUnbalanced = highest - lowest > 32 && highest > 1.1 * lowest
      if (!isUnbalanced && question.blocks.length > 0) {
        const best = least(among, (each) => -index.matched(each, question))
        if (index.matched(best, question) / question.blocks.length > 0.5) return best
      }
      return least(among, (each) => inFlight[each]! + random() / 2)
    },
    began: index.began,
  }
})

/** llm-d's default weights: emptiest queue 2, least memory used 2 (by tokens in flight), best match 3. */
export const llmD = baseline('llm-d', 'llm-d 2/2/3', ({ market, random }, { inFlight, prefillTokens }) => {
  const index = shadowIndex(market.suppliers.length)
  return {
    pick(among, question) {
      const loads = among.map((each) => inFlight[each]!)
      const [lowest, highest] = [Math.min(...loads), Math.max(...loads)]
      const mostTokens = Math.max(1, ...among.map((each) => prefillTokens[each]!))
      return least(among, (each) => {
        const queue = highest === lowest ? 1 : (highest - inFlight[each]!) / (highest - lowest)
        const room = 1 - prefillTokens[each]! / mostTokens
        const match = question.blocks.length === 0 ? 0 : index.matched(each, question) / question.blocks.length
        return -(2 * queue + 2 * room + 3 * match) + random() * 1e-6
      })
    },
    began: index.began,
  }
})

/** Dynamo's linear cost in tokens: what waits there to be read, this prompt without what is cached, and what is being written. */
export const dynamo = baseline('dynamo', 'Dynamo linear', ({ market, random }, { inFlight }) => {
  const index = shadowIndex(market.suppliers.length)
  const reading = new Float64Array(market.suppliers.length)
  const writing = new Float64Array(market.suppliers.length)
  const uncached = new Map<Attempt, number>()
  const ofPrompt = (supplier: number, question: Question) =>
    question.inputTokens - index.matched(supplier, question) * question.blockTokens
  const read = (attempt: Attempt): void => {
    const tokens = uncached.get(attempt)
    if (tokens === undefined) return
    uncached.delete(attempt)
    reading[attempt.supplier]! -= tokens
  }
  return {
    pick: (among, question) =>
      least(
        among,
        (each) => reading[each]! + ofPrompt(each, question) + writing[each]! + inFlight[each]! + random() * 1e-3,
      ),
    began(attempt) {
      const { supplier, question } = attempt
      const tokens = ofPrompt(supplier, question)
      uncached.set(attempt, tokens)
      reading[supplier]! += tokens
      index.began(attempt)
    },
    firstToken(attempt) {
      read(attempt)
      writing[attempt.supplier]! += attempt.question.blocks.length
    },
    ended(attempt, { outcome }) {
      const hadBegun = !uncached.has(attempt)
      read(attempt)
      if (hadBegun || outcome === 'served') writing[attempt.supplier]! -= attempt.question.blocks.length
    },
  }
})
