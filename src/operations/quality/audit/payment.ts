import type { Queryable } from '#platform/postgres'
import { readCases } from '../store/audit-cases.ts'
import { sumFacts } from '../store/audit-facts.ts'
import type { AuditTermsOf } from './service.ts'

/**
 * How a supplier's claim for a model is paid. `claim`: as claimed. `counted`: a side's tokens are paid at so many millionths, which is
 * what our counts leave of its claims within tolerance; where every request was counted again, that is exact, else it is the mean of
 * those that were, and the agreement says that it is taken for all.
 */
export type ClaimBasis =
  | { readonly payOn: 'claim' }
  | {
      readonly payOn: 'counted'
      readonly sides: readonly {
        readonly case: string
        readonly side: 'output' | 'input'
        readonly requests: number
        readonly payablePpm: number
      }[]
    }

/** A case counts from its first day until it is dismissed: what was found stays found when a supplier has mended its ways. */
export async function claimBasis(
  db: Queryable,
  { supplier, model, fromMs, toMs }: { supplier: string; model: string; fromMs: number; toMs: number },
  termsOf: AuditTermsOf,
): Promise<ClaimBasis> {
  const terms = await termsOf(supplier, fromMs)
  if (terms?.payOn === 'claim') return { payOn: 'claim' }
  const cases = (await readCases(db, { supplier })).filter((one) => one.model === model && one.state !== 'dismissed')
  const sides = []
  for (const one of cases) {
    const { slack } = one.settings
    const query = { ...one, fromMs, toMs, slackTokens: slack.tokens, slackPpm: slack.ppm }
    const { requests, reported, payable } = await sumFacts(db, query)
    if (reported === 0) continue
    const payablePpm = Math.floor((payable * 1_000_000) / reported)
    sides.push({ case: one.id, side: one.side, requests, payablePpm })
  }
  return sides.length === 0 ? { payOn: 'claim' } : { payOn: 'counted', sides }
}
