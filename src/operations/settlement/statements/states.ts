import type { StatementState } from '#contract'
import type { Transaction } from '#platform/postgres'
import { insertEvents } from '../event-store.ts'
import { statementMay } from '../model/states.ts'
import { settlementState, unknownStatement } from '../problems.ts'
import { findStatement, lockSupplier, setStatementState } from './store.ts'
import type { Statement } from './store.ts'

export interface Act {
  readonly by: string
  readonly nowMs: number
  readonly note?: string | null
}

/** A statement that nobody else changes until the transaction ends. Throws `unknown_statement`. */
export async function held(tx: Transaction, id: string): Promise<Statement> {
  const known = await findStatement(tx, id)
  if (!known) throw unknownStatement({ id: id.slice(0, 120) })
  await lockSupplier(tx, known.supplier)
  const statement = await findStatement(tx, id)
  if (!statement) throw unknownStatement({ id })
  return statement
}

/** One step of a statement, on record. Throws `settlement_state`. */
export async function step(tx: Transaction, statement: Statement, to: StatementState, act: Act): Promise<Statement> {
  if (!statementMay(statement.state, to))
    throw settlementState({ id: statement.id, state: statement.state, wanted: to })
  await setStatementState(tx, statement.id, to)
  await insertEvents(tx, [
    {
      subject: statement.id,
      atMs: act.nowMs,
      was: statement.state,
      becomes: to,
      by: act.by,
      note: act.note ?? null,
      number: null,
    },
  ])
  return { ...statement, state: to }
}
