import type { AuditTerms, UsageRecord } from '#contract'
import type { Transaction } from '#platform/postgres'
import { addEvent } from '../store/events.ts'
import { insertCase } from '../store/audit-cases.ts'
import { insertFacts } from '../store/audit-facts.ts'
import type { FactRow } from '../store/audit-facts.ts'
import { lockStreams, readSettings, saveStream } from '../store/audit-streams.ts'
import type { StreamKey, StreamRow } from '../store/audit-streams.ts'
import { FEWEST_REQUESTS, caseId } from './model/case.ts'
import type { AuditCase } from './model/case.ts'
import { factOf } from './model/facts.ts'
import { NOTHING_SEEN, USUAL_SETTINGS, evidenceLog10, flaggedBy, see } from './model/stream.ts'
import type { AuditSettings, Side, TokenClaim } from './model/stream.ts'

/** Undefined: no agreement, or one that says nothing about it. */
export type AuditTermsOf = (supplier: string, atMs: number) => Promise<AuditTerms | undefined>

const SIDES: readonly Side[] = ['output', 'input']
export const keyText = ({ supplier, model, side }: StreamKey): string => JSON.stringify([supplier, model, side])

/** Shows records to the tests, in their order. Must be called once per record: whoever calls it holds the mark. */
export async function auditRecords(
  tx: Transaction,
  records: readonly UsageRecord[],
  { termsOf, nowMs }: { readonly termsOf: AuditTermsOf; readonly nowMs: number },
): Promise<void> {
  const facts = records.map(factOf).filter((fact) => fact !== undefined)
  if (facts.length === 0) return
  const suppliers = [...new Set(facts.map(({ supplier }) => supplier))].toSorted()
  const streams = new Map((await lockStreams(tx, suppliers)).map((stream) => [keyText(stream), stream]))
  const decided = new Map((await readSettings(tx, suppliers)).map((row) => [keyText(row), row.settings]))
  const told = new Set<string>()
  const changed = new Map<string, StreamRow>()
  const rows: FactRow[] = []
  for (const { request, supplier, model, completedAtMs, ...claims } of facts) {
    for (const side of SIDES) {
      const claim = claims[side]
      if (!claim) continue
      const key = { supplier, model, side }
      const name = keyText(key)
      const before =
        changed.get(name) ??
        streams.get(name) ??
        newStream(key, decided.get(name) ?? withTerms(side, await termsOf(supplier, completedAtMs)), 1)
      const after = { ...before, ...see(before, claim, before.settings) }
      changed.set(name, after)
      rows.push(rowOf(after, claim, request, completedAtMs))
      const found = caseOf(after, nowMs)
      if (!found || told.has(found.id)) continue
      told.add(found.id)
      if (!(await insertCase(tx, found))) continue
      await addEvent(tx, {
        subject: found.id,
        what: 'flagged',
        by: 'tokenfactory',
        reason: `evidence of 1 in 10^${found.evidence.toFixed(1)} after ${found.number} requests`,
        atMs: nowMs,
      })
    }
  }
  for (const stream of changed.values()) await saveStream(tx, stream)
  await insertFacts(tx, rows)
}

export function newStream(key: StreamKey, settings: AuditSettings, epoch: number): StreamRow {
  return { ...key, ...NOTHING_SEEN, epoch, settings }
}

function withTerms(side: Side, terms: AuditTerms | undefined): AuditSettings {
  const usual = USUAL_SETTINGS[side]
  if (!terms) return usual
  const slack =
    side === 'output'
      ? { tokens: terms.outputAbs, ppm: terms.outputPpm }
      : { tokens: terms.inputAbs, ppm: terms.inputPpm }
  return { ...usual, slack }
}

function rowOf(stream: StreamRow, claim: TokenClaim, request: string, completedAtMs: number): FactRow {
  const { supplier, model, side, epoch, seen } = stream
  return { supplier, model, side, epoch, number: seen, request, completedAtMs, ...claim }
}

function caseOf(stream: StreamRow, nowMs: number): AuditCase | undefined {
  const test = stream.seen < FEWEST_REQUESTS ? undefined : flaggedBy(stream)
  if (!test) return undefined
  const { supplier, model, side, epoch, seen, settings } = stream
  return {
    id: caseId(stream),
    ...{ supplier, model, side, epoch, test, settings },
    number: seen,
    evidence: evidenceLog10(test === 'mean' ? stream.meanWealth : stream.excessWealth),
    state: 'flagged',
    openedAtMs: nowMs,
    disputedBy: null,
  }
}
