import type { GrantReply, GrantRequest, Slice, UsageRecord } from '#contract'

/** Charging as its contract says, with an assertion wherever a gateway could break a promise. */
export function chargingModel(wallets: readonly bigint[], nowMs: () => number, violations: string[]) {
  interface SliceState {
    readonly slice: Slice
    readonly journal: string
    settled: bigint
    isOpen: boolean
    ingested: number
  }
  const balance = new Map(wallets.map((amount, i) => [`t${i}`, amount]))
  const slices = new Map<string, SliceState>()
  const bySeq = new Map<string, GrantReply>()
  const posted = new Map<string, string>()
  const altered: string[] = []
  let epoch = 0
  let journalOfEpoch = ''
  let sold = 0n
  const escrow = (tenant?: string): bigint =>
    [...slices.values()]
      .filter((state) => state.isOpen && (tenant === undefined || state.slice.tenant === tenant))
      .reduce((sum, state) => sum + BigInt(state.slice.amountPico) - state.settled, 0n)

  function decide(request: GrantRequest): GrantReply {
    const escrowed = escrow(request.tenant)
    const available = (balance.get(request.tenant) ?? 0n) - escrowed
    const min = BigInt(request.minPico)
    if (available < min)
      return { outcome: 'insufficient_balance', availablePico: `${available}`, escrowedPico: `${escrowed}` }
    const half = available / 2n > min ? available / 2n : min
    const amount = BigInt(request.wantPico) < half ? BigInt(request.wantPico) : half
    const slice: Slice = {
      id: `s-${request.epoch}-${request.seq}`,
      tenant: request.tenant,
      epoch: request.epoch,
      amountPico: `${amount}`,
      validUntilMs: nowMs() + 20_000,
      tight: available < 20n,
    }
    slices.set(slice.id, { slice, journal: journalOfEpoch, settled: 0n, isOpen: true, ingested: 0 })
    return { outcome: 'granted', slice }
  }

  return {
    altered,
    posted: () => posted,
    granted: (id: string): bigint => BigInt(slices.get(id)?.slice.amountPico ?? '0'),
    settled: (): Array<[string, bigint]> => [...slices].map(([id, state]) => [id, state.settled]),
    escrowed: () => escrow(),
    sold: () => sold,
    walletsPlusSold: () => [...balance.values()].reduce((sum, amount) => sum + amount, sold),
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
        const state = slices.get(record.slice ?? '')
        const sell = BigInt(record.sellPico)
        if (!state?.isOpen) violations.push(`${record.id} arrived after its slice ${record.slice ?? '–'} was closed`)
        else if (state.settled + sell > BigInt(state.slice.amountPico)) violations.push(`${state.slice.id} overspent`)
        posted.set(record.id, text)
        if (!state) continue
        state.ingested++
        state.settled += sell
        sold += sell
        balance.set(record.tenant, (balance.get(record.tenant) ?? 0n) - sell)
      }
      return { accepted: records.length - duplicates, duplicates, quarantined: [] }
    },
  }
}
