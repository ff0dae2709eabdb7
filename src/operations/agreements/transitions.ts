import type { Transaction } from '#platform/postgres'
import { isLegal } from './model/states.ts'
import type { Subject } from './model/states.ts'
import { illegalMove } from './problems.ts'
import { insertTransition, setState } from './store/transitions.ts'

/** Who does it, when and why: every change of state is kept with it. */
export interface Because {
  readonly by: string
  readonly atMs: number
  readonly reason: string
}

/** The only way in which anything here changes its state: along an edge of its map, and on the record. Throws `illegal_transition`. */
export async function move(
  tx: Transaction,
  subject: Subject,
  { id, state }: { readonly id: string; readonly state: string },
  to: string,
  because: Because,
): Promise<void> {
  if (!isLegal(subject, state, to)) throw illegalMove({ subject, id, from: state, to })
  await setState(tx, subject, id, to)
  await insertTransition(tx, subject, id, { ...because, from: state, to })
}

/** The first state of something new. */
export async function begin(
  tx: Transaction,
  subject: Subject,
  id: string,
  to: string,
  because: Because,
): Promise<void> {
  await insertTransition(tx, subject, id, { ...because, from: null, to })
}
