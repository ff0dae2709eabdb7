import type { Queryable } from '#platform/postgres'
import { leftOf, lineKey } from '../model/left.ts'
import type { Left, Step } from '../model/left.ts'
import type { FiledLine } from './model.ts'
import { grantedOn, linesOf, stepsOf } from './line-store.ts'

export interface LineLeft extends Left {
  readonly line: FiledLine
  /** What operators have credited on it. */
  readonly grantedFen: bigint
}

/**
 * The lines of a document, each with what corrections have left of it and what operators have credited on it. `coming`: steps of its
 * charges that are decided and not filed yet.
 */
export async function leftOnDocument(
  db: Queryable,
  document: string,
  coming: readonly Step[] = [],
): Promise<readonly LineLeft[]> {
  const lines = await linesOf(db, document)
  const charges = lines.flatMap(({ charge }) => charge ?? [])
  const left = leftOf([...(await stepsOf(db, charges)), ...coming.filter(({ charge }) => charges.includes(charge))])
  const granted = await grantedOn(db, [document])
  return lines.map((line) => ({
    line,
    grantedFen: granted.get(lineKey(line)) ?? 0n,
    ...(left.get(lineKey(line)) ?? { grossFen: 0n, dueFen: 0n }),
  }))
}
