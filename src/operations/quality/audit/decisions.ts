import type { Transaction } from '#platform/postgres'
import { illegalTransition, samePerson, unknownCase } from '../problems.ts'
import { lockCase, saveCase } from '../store/audit-cases.ts'
import { addSetting, lockStreams, saveStream } from '../store/audit-streams.ts'
import type { StreamKey } from '../store/audit-streams.ts'
import { addEvent } from '../store/events.ts'
import { isEnded, mayBecome } from './model/case.ts'
import type { AuditCase, CaseState } from './model/case.ts'
import { USUAL_SETTINGS } from './model/stream.ts'
import type { AuditSettings } from './model/stream.ts'
import { keyText, newStream } from './service.ts'

/** Who decides, why and when. */
export interface Decision {
  readonly by: string
  readonly reason: string
  readonly nowMs: number
}

/**
 * Moves a case. Who disputed it cannot also uphold it, because that decides what a supplier is paid. When a case ends, the tests
 * begin anew. Throws `unknown_case`, `illegal_transition`, `same_person`.
 */
export async function decideCase(
  tx: Transaction,
  id: string,
  to: CaseState,
  { by, reason, nowMs }: Decision,
): Promise<AuditCase> {
  const before = await lockCase(tx, id)
  if (!before) throw unknownCase({ id })
  if (!mayBecome(before.state, to)) throw illegalTransition({ id, from: before.state, to })
  if (to === 'upheld' && before.disputedBy === by) throw samePerson({ id })
  const after = { ...before, state: to, disputedBy: to === 'disputed' ? by : before.disputedBy }
  await saveCase(tx, after)
  await addEvent(tx, { subject: id, what: to, by, reason, atMs: nowMs })
  if (isEnded(to)) await beginAnew(tx, before)
  return after
}

/** What a supplier says to a case; it changes nothing but what is on file. */
export async function answerCase(tx: Transaction, id: string, { by, reason, nowMs }: Decision): Promise<AuditCase> {
  const found = await lockCase(tx, id)
  if (!found) throw unknownCase({ id })
  await addEvent(tx, { subject: id, what: 'answered', by, reason, atMs: nowMs })
  return found
}

/** From now on this counts as honest. The tests begin anew, so that no wealth won under other settings is left. */
export async function decideSettings(
  tx: Transaction,
  key: StreamKey,
  settings: AuditSettings,
  { by, reason, nowMs }: Decision,
): Promise<void> {
  await addSetting(tx, key, settings)
  await beginAnew(tx, key, settings)
  await addEvent(tx, { subject: `audit ${keyText(key)}`, what: 'settings', by, reason, atMs: nowMs })
}

async function beginAnew(tx: Transaction, key: StreamKey, settings?: AuditSettings): Promise<void> {
  const { supplier, model, side } = key
  const stream = (await lockStreams(tx, [supplier])).find((each) => keyText(each) === keyText(key))
  const next = settings ?? stream?.settings ?? USUAL_SETTINGS[side]
  await saveStream(tx, newStream({ supplier, model, side }, next, (stream?.epoch ?? 0) + 1))
}
