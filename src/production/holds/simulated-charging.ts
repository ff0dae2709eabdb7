import type { GrantReply, GrantRequest, Slice, UsageRecord } from '#contract'

/** Charging as its contract says, with an assertion wherever a gateway could break a promise. */
export function chargingModel(filled: ReadonlyMap<string, bigint>, nowMs: () => number, violations: string[]) {
  interface SliceState {
    readonly slice: Slice
    readonly journal: string
    settled: bigint
    isOpen: boolean
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
  const escrow = (bucket?: string): bigint =>
    [...slices.values()]
      .filter((state) => state.isOpen && (bucket === undefined || state.slice.bucket === bucket))
      .reduce((sum, state) => sum + BigInt(state.slice.amount) - state.settled, 0n)

  function decide(request: GrantRequest): GrantReply {
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
      validUntilMs: nowMs() + 20_000,
      tight: available < 20n,
    }
    slices.set(slice.id, { slice, journal: journalOfEpoch, settled: 0n, isOpen: true, ingested: 0 })
    return { outcome: 'granted', slice }
  }

  function take(record: string, slice: string, amount: bigint): void {
    const state = slices.get(slice)
    if (!state?.isOpen) violations.push(`${record} arrived after its slice ${slice || '–'} was closed`)
    else if (state.settled + amount > BigInt(state.slice.amount)) violations.push(`${slice} overspent`)
    if (!state) return
    const { bucket } = state.slice
    state.ingested++
    state.settled += amount
    sold.set(bucket, (sold.get(bucket) ?? 0n) + amount)
    balance.set(bucket, (balance.get(bucket) ?? 0n) - amount)
  }

  return {
    altered,
    posted: () => posted,
    granted: (id: string): bigint => BigInt(slices.get(id)?.slice.amount ?? '0'),
    settled: (): Array<[string, bigint]> => [...slices].map(([id, state]) => [id, state.settled]),
    escrowed: () => escrow(),
    sold: (bucket: string): bigint => sold.get(bucket) ?? 0n,
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
      const state = slices.get(id)
      if (!state) throw new Error(`close of unknown slice ${id}`)
      if (state.journal !== journal) {
        violations.push(`${journal} tried to close ${id} of ${state.journal}`)
        return { outcome: 'foreign' as const }
      }
      if (!state.isOpen) return { outcome: 'closed' as const }
      if (state.ingested < records) return { outcome: 'missing' as const, ingested: state.ingested }
      if (state.ingested > records) violations.push(`${id} closed with ${records} records, ${state.ingested} ingested`)
      state.isOpen = false
      return { outcome: 'closed' as const }
    },
    usage(records: readonly string[]) {
      let duplicates = 0
      for (const text of records) {
        const record = JSON.parse(text) as UsageRecord
        const known = posted.get(record.id)
        if (known !== undefined) {
          duplicates++
          if (known !== text) altered.push(record.id)
          continue
        }
        posted.set(record.id, text)
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
