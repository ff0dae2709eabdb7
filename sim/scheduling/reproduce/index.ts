import { auditClaim } from './audit-claim.ts'
import type { Claim } from './claim.ts'
import { driftClaim, vtcClaim } from './fairness-claims.ts'
import { hedgeClaim } from './hedge-claim.ts'
import { contractsClaim, regionsClaim, shareRuleClaim } from './market-claims.ts'
import { boundedHashClaim, cacheAwareClaim, mooncakeClaim } from './prefix-claims.ts'
import { quantileClaim, rampClaim } from './prequal-claims.ts'
import { powerOfTwoClaim } from './queue-claim.ts'
import { refusalsClaim, sheddingClaim } from './shed-claims.ts'

/** By the rows of the reference's table of published results. */
export const CLAIMS: readonly Claim[] = [
  vtcClaim,
  driftClaim,
  rampClaim,
  quantileClaim,
  powerOfTwoClaim,
  cacheAwareClaim,
  boundedHashClaim,
  sheddingClaim,
  hedgeClaim,
  mooncakeClaim,
  refusalsClaim,
  regionsClaim,
  contractsClaim,
  auditClaim,
  shareRuleClaim,
]
