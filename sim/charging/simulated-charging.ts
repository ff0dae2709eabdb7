import type { GrantReply, GrantRequest, Slice, UsageRecord } from '#contract'

/** Ways to break the protocol on purpose, to see that the assertions notice. */
export type ChargingMutant = 'no_dedupe' | 'early_close' | 'early_reclaim'

export interface ChargingRules {
  /** `strict`: a slice stays set aside until it is closed. `available`: some time after its end it goes back by itself. */
  readonly mode: 'strict' | 'available'
  readonly mutant?: ChargingMutant
}

const SLICE_MS = 20_000
/** In `available` mode a slice goes back this long after its end: requests that it still pays for have ended by then. */
const RECLAIM_AFTER_MS = 30_000

/** Charging as its contract says, with an assertion wherever a gateway could break a promise. */
export function chargingModel(
  filled: ReadonlyMap<string, bigint>,
  nowMs: () => number,
  violations: string[],
  { mode, mutant }: ChargingRules = { mode: 'strict' },
) {
  interface SliceState {
    readonly slice: Slice
    readonly journal: string
    settled: bigint
    isOpen: boolean
    isReclaimed: boolean
    ingested: number
  }
  const balance = new Map(filled)
  const sold = new Map<string, bigint>()
  const slices = new Map<string, SliceState>()
  const bySeq = new Map<string, GrantReply>()
  const posted = new Map<string, string>()
  const altered: string[] = []
  let epoch = 0
  let journalOfEpoch = ''
  let worstShortfall = 0n
  let reclaimedLeft = 0n
  const escrow = (bucket?: string): bigint =>
    [...slices.values()]
      .filter((state) => state.isOpen && (bucket === undefined || state.slice.bucket === bucket))
      .reduce((sum, state) => sum + BigInt(state.slice.amount) - state.settled, 0n)

  /** Gives slices back that ended long ago, whatever records of them may be on their way. */
  function reclaim(): void {
    if (mode === 'strict') return
    const afterMs = mutant === 'early_reclaim' ? 5_000 - SLICE_MS : RECLAIM_AFTER_MS
    for (const state of slices.values()) {
      if (!state.isOpen || nowMs() < state.slice.validUntilMs + afterMs) continue
      state.isOpen = false
      state.isReclaimed = true
      reclaimedLeft += BigInt(state.slice.amount) - state.settled
    }
  }

  /** How far a bucket cannot cover what is set aside of it: money that was spent and never there. */
  function lookForShortfall(bucket: string): void {
    const shortfall = escrow(bucket) - (balance.get(bucket) ?? 0n)
    if (shortfall > worstShortfall) worstShortfall = shortfall
  }

  function decide(request: GrantRequest): GrantReply {
    reclaim()
    const posted = balance.get(request.bucket)
    if (posted === undefined) return { outcome: 'no_such_bucket' }
    const escrowed = escrow(request.bucket)
    const available = posted - escrowed
    const min = BigInt(request.min)
    if (available < min) return { outcome: 'insufficient_balance', available: `${available}`, escrowed: `${escrowed}` }
    const half = available / 2n > min ? available / 2n : min
    const amount = BigInt(request.want) < half ? BigInt(request.want) : half
    const slice: Slice = {
      id: `s-${request.epoch}-${request.seq}`,
      bucket: request.bucket,
      epoch: request.epoch,
      amount: `${amount}`,
      validUntilMs: nowMs() + SLICE_MS,
      tight: available < 20n,
    }
    slices.set(slice.id, { slice, journal: journalOfEpoch, settled: 0n, isOpen: true, isReclaimed: false, ingested: 0 })
    return { outcome: 'granted', slice }
  }

  function take(record: string, slice: string, amount: bigint): void {
    const state = slices.get(slice)
    if (!state || (!state.isOpen && !state.isReclaimed))
      violations.push(`${record} arrived after its slice ${slice || '–'} was closed`)
    else if (state.settled + amount > BigInt(state.slice.amount)) violations.push(`${slice} overspent`)
    if (!state) return
    const { bucket } = state.slice
    state.ingested++
    state.settled += amount
    sold.set(bucket, (sold.get(bucket) ?? 0n) + amount)
    balance.set(bucket, (balance.get(bucket) ?? 0n) - amount)
    lookForShortfall(bucket)
  }

  return {
    altered,
    posted: () => posted,
    granted: (id: string): bigint => BigInt(slices.get(id)?.slice.amount ?? '0'),
    settled: (): Array<[string, bigint]> => [...slices].map(([id, state]) => [id, state.settled]),
    escrowed: () => escrow(),
    sold: (bucket: string): bigint => sold.get(bucket) ?? 0n,
    isSoldByRecords(): boolean {
      const said = new Map<string, bigint>()
      for (const text of posted.values()) {
        const record = JSON.parse(text) as UsageRecord
        const draws = [{ slice: record.slice ?? '', amount: record.sellPico }, ...(record.draws ?? [])]
        for (const { slice, amount } of draws) {
          const bucket = slices.get(slice)?.slice.bucket
          if (bucket !== undefined) said.set(bucket, (said.get(bucket) ?? 0n) + BigInt(amount))
        }
      }
      return [...sold].every(([bucket, amount]) => (said.get(bucket) ?? 0n) === amount)
    },
    worstShortfall: () => worstShortfall,
    /** What was left of slices that went back by themselves: nothing beyond it can be overspent. */
    reclaimedLeft: () => reclaimedLeft,
    /** Every bucket as it was filled, if what it has lost is what was sold of it. */
    balancePlusSold: () => [...balance].map(([bucket, amount]) => [bucket, amount + (sold.get(bucket) ?? 0n)]),
    register(journal: string): number {
      journalOfEpoch = journal
      return ++epoch
    },
    openSlices: (journal?: string) =>
      [...slices.values()]
        .filter((state) => state.isOpen && (journal === undefined || state.journal === journal))
        .map((state) => state.slice),
    grant(request: GrantRequest): GrantReply {
      if (request.epoch !== epoch) return { outcome: 'fenced' }
      const key = `${request.epoch}/${request.seq}`
      const reply = bySeq.get(key) ?? decide(request)
      if (reply.outcome === 'granted') bySeq.set(key, reply)
      return reply
    },
    close(journal: string, id: string, records: number) {
      reclaim()
      const state = slices.get(id)
      if (!state) throw new Error(`close of unknown slice ${id}`)
      if (state.journal !== journal) {
        violations.push(`${journal} tried to close ${id} of ${state.journal}`)
        return { outcome: 'foreign' as const }
      }
      if (!state.isOpen) return { outcome: 'closed' as const }
      if (state.ingested < records && mutant !== 'early_close')
        return { outcome: 'missing' as const, ingested: state.ingested }
      if (state.ingested > records) violations.push(`${id} closed with ${records} records, ${state.ingested} ingested`)
      state.isOpen = false
      return { outcome: 'closed' as const }
    },
    usage(records: readonly string[]) {
      let duplicates = 0
      for (const text of records) {
        const record = JSON.parse(text) as UsageRecord
        const known = posted.get(record.id)
        if (known !== undefined && mutant !== 'no_dedupe') {
          duplicates++
          if (known !== text) altered.push(record.id)
          continue
        }
        posted.set(record.id, text)
        if (BigInt(record.sellPico) > BigInt(record.holdPico)) violations.push(`${record.id} costs more than was held`)
        take(record.id, record.slice ?? '', BigInt(record.sellPico))
        const named = [record.slice, ...(record.draws ?? []).map((draw) => draw.slice)]
        if (new Set(named).size < named.length) violations.push(`${record.id} names a slice twice`)
        for (const draw of record.draws ?? []) {
          if (slices.get(draw.slice)?.slice.bucket !== draw.bucket)
            violations.push(`${record.id} draws on a wrong slice`)
          if (BigInt(draw.amount) > BigInt(draw.held)) violations.push(`${record.id} draws more than was held`)
          take(record.id, draw.slice, BigInt(draw.amount))
        }
      }
      return { accepted: records.length - duplicates, duplicates, quarantined: [] }
    },
  }
}
