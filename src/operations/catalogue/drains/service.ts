import type { DrainView } from '#contract'
import type { Clock } from '#platform/clock'
import type { Database } from '#platform/postgres'
import { bumpRevision, lockRevision, selectSuppliers } from '../store.ts'
import { alreadyDrained, notDrained, unknownSupplier } from './problems.ts'
import { endDrain, insertDrain, selectDrains } from './store.ts'

/** Takes suppliers out of service and back: what runs at a drained one ends, nothing new begins. */
export interface Drains {
  /** Throws `unknown_supplier`, `already_drained`. */
  drain(act: Act): Promise<DrainView>
  /** Throws `unknown_supplier`, `not_drained`. */
  undrain(act: Act): Promise<DrainView>
  /** The newest first, ended ones too. */
  list(limit: number): Promise<readonly DrainView[]>
}

interface Act {
  readonly supplier: string
  readonly by: string
  readonly reason: string
}

export function createDrains({ database, clock }: { readonly database: Database; readonly clock: Clock }): Drains {
  return {
    drain: (act) =>
      database.transaction(async (tx) => {
        await lockRevision(tx)
        const { supplier } = act
        if (!(await selectSuppliers(tx)).some(({ id }) => id === supplier)) throw unknownSupplier({ supplier })
        const [open] = (await selectDrains(tx)).filter((drain) => drain.supplier === supplier)
        if (open) throw alreadyDrained({ supplier, by: open.drainedBy })
        await insertDrain(tx, { ...act, nowMs: clock.nowMs() })
        await bumpRevision(tx)
        const [made] = await selectDrains(tx, 1)
        return made as DrainView
      }),
    undrain: (act) =>
      database.transaction(async (tx) => {
        await lockRevision(tx)
        const { supplier } = act
        const nowMs = clock.nowMs()
        const [open] = (await selectDrains(tx)).filter((drain) => drain.supplier === supplier)
        if (!open) {
          if (!(await selectSuppliers(tx)).some(({ id }) => id === supplier)) throw unknownSupplier({ supplier })
          throw notDrained({ supplier })
        }
        await endDrain(tx, { ...act, nowMs })
        await bumpRevision(tx)
        return {
          ...open,
          undrainedAtMs: Math.max(open.drainedAtMs, nowMs),
          undrainedBy: act.by,
          undrainReason: act.reason,
        }
      }),
    list: (limit) => selectDrains(database, limit),
  }
}
