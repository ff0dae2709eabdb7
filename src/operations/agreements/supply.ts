import type { CapacityLot, SignedCommitment } from '#contract'
import type { AgreementsDeps } from './context.ts'
import { selectAgreements } from './store/agreements.ts'
import type { AgreementRow } from './store/agreements.ts'
import { selectLots } from './store/call-offs.ts'
import { partiesOf } from './store/shares.ts'

export interface SupplyTerms {
  readonly lots: readonly CapacityLot[]
  readonly commitments: readonly SignedCommitment[]
}

/** What contracts let gateways use, and ask of them, now: capacity that was accepted and not taken back, and the shares that were awarded. */
export async function supplyTerms({ database, clock }: AgreementsDeps): Promise<SupplyTerms> {
  const nowMs = clock.nowMs()
  const active = (await selectAgreements(database, {})).filter(
    ({ state, validToMs }) => state === 'active' && validToMs > nowMs,
  )
  const byId = new Map(active.map((agreement) => [agreement.id, agreement]))
  const lots = (await selectLots(database, {})).flatMap((lot): CapacityLot[] => {
    const agreement = byId.get(lot.agreement)
    if (!agreement || lot.state !== 'active' || lot.toMs <= nowMs) return []
    const { inputTokensPerMinute, outputTokensPerMinute } = agreement.terms.unit
    return [
      {
        ...{
          id: lot.id,
          agreement: lot.agreement,
          supplier: lot.supplier,
          model: lot.model,
          fromMs: lot.fromMs,
          toMs: lot.toMs,
        },
        inputTokensPerMinute: inputTokensPerMinute * lot.units,
        outputTokensPerMinute: outputTokensPerMinute * lot.units,
      },
    ]
  })
  const commitments: SignedCommitment[] = []
  for (const agreement of active) {
    const { supplier, validFromMs: fromMs, validToMs: toMs } = agreement
    const { services } = agreement.terms
    for (const terms of await termsOf(agreement))
      commitments.push({ id: `${agreement.id}:${terms.kind}`, supplier, services, fromMs, toMs, terms })
  }
  return { lots, commitments }

  async function termsOf({ package: pack, supplier, terms }: AgreementRow): Promise<SignedCommitment['terms'][]> {
    const all: SignedCommitment['terms'][] = []
    const party = (await partiesOf(database, pack)).find((each) => each.supplier === supplier)
    const { inputTokensPerMinute, outputTokensPerMinute } = terms.unit
    if (party && party.ppm < 1_000_000 && terms.services.length > 0)
      all.push({
        ...{ kind: 'share', group: pack, minPpm: party.ppm, maxPpm: party.ppm },
        // What one order lot makes in a minute: so near do routed tokens keep to the awarded shares.
        lotTokens: terms.lotUnits * (inputTokensPerMinute + outputTokensPerMinute),
      })
    if (terms.takeOrPayTokens !== null) all.push({ kind: 'take_or_pay', tokens: terms.takeOrPayTokens })
    return all
  }
}
