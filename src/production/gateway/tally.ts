import type { ServedRow, SlaTarget, Snapshot, Strategy, UsageRecord } from '#contract'
import { isAboutTheCaller, isGood } from './service-level.ts'

/** What this worker has served, for those who watch: summed by what may be routed alike. */
export interface Tally {
  /** A new snapshot may say otherwise of tenants and of what is promised. */
  adopt(snapshot: Snapshot): void
  observe(record: UsageRecord): void
  rows(): readonly ServedRow[]
}

interface Group {
  readonly strategy: Strategy
  readonly regions: string[] | null
  readonly key: string
}

type Counted = { -readonly [Name in keyof ServedRow]: ServedRow[Name] }

const ANYBODY: Group = { strategy: 'balanced', regions: null, key: 'balanced ' }

export function createTally(): Tally {
  const rows = new Map<string, Counted>()
  let groups = new Map<string, Group>()
  let targets = new Map<string, SlaTarget>()

  const rowOf = ({ service, tier = 'standard', supplier, tenant }: UsageRecord): Counted => {
    const group = groups.get(tenant) ?? ANYBODY
    const key = `${service} ${tier} ${supplier} ${group.key}`
    let row = rows.get(key)
    if (!row) {
      const { strategy, regions } = group
      const none = { requests: 0, valid: 0, good: 0, inputTokens: 0, outputTokens: 0, durationMs: 0 }
      row = { service, tier, supplier, strategy, regions, ...none }
      rows.set(key, row)
    }
    return row
  }

  return {
    adopt({ tenants, services }) {
      groups = new Map(
        tenants.map(({ id, strategy = 'balanced', regions }) => [
          id,
          { strategy, regions: regions ?? null, key: `${strategy} ${regions?.toSorted().join() ?? ''}` },
        ]),
      )
      targets = new Map(
        services.flatMap(({ id, sla = [] }) => sla.map((target) => [`${id} ${target.class}`, target] as const)),
      )
    },
    observe(record) {
      if (record.supplier === '') return
      const row = rowOf(record)
      const { tokens } = record
      row.requests++
      row.inputTokens += tokens.uncachedInput + tokens.cacheRead + tokens.cacheWrite
      row.outputTokens += tokens.output + tokens.reasoning
      row.durationMs += record.durationMs
      const target = targets.get(`${record.service} ${record.tier ?? 'standard'}`)
      if (isAboutTheCaller(record, target)) return
      row.valid++
      if (isGood(record, target)) row.good++
    },
    rows: () => [...rows.values()],
  }
}
