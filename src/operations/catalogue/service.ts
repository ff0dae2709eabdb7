import { setTimeout as sleep } from 'node:timers/promises'
import type { RatingSources } from '#charging'
import type { ApplyReply, ConversionTable, OfferView, PriceSheet, ServiceView, Snapshot, SupplierView } from '#contract'
import { parseCalendars } from '#kernel'
import type { Clock } from '#platform/clock'
import type { Database } from '#platform/postgres'
import type { Identity } from '#identity'
import { applyInTransaction } from './apply.ts'
import { selectCalendars } from './calendars/store.ts'
import { fundingHash, listed, sheetOf } from './for-gateways.ts'
import { lineKey, lineUp } from './model.ts'
import type { PriceLine, TableVersionRow } from './model.ts'
import type { Money } from './money/service.ts'
import { selectOffers } from './offers/store.ts'
import { tablesOf } from './offers/tables.ts'
import { serviceView } from './service-view.ts'
import { createCommitments } from './routing/delivered.ts'
import { buildSnapshot } from './snapshot.ts'
import type { Supply, Trust } from './snapshot.ts'
import * as store from './store.ts'
import { tableViews } from './table-view.ts'
import * as tables from './tables/store.ts'

export interface Catalogue {
  /**
   * Puts a `factory.yaml` in force, all or nothing; a dry run does the same and takes it back. Throws `factory_file_mistakes`
   * with every mistake and its place. Secrets of keys made by it are in the reply and nowhere else.
   */
  apply(document: { readonly text: string; readonly fileName: string; readonly dryRun: boolean }): Promise<ApplyReply>
  /** All that gateways need. Its version counts up with every change of tenants, keys, services, prices and suppliers. */
  snapshot(): Promise<Snapshot>
  /** The snapshot as soon as its version is above `after`, or undefined after `timeoutMs` or when `signal` fires. */
  waitForSnapshot(after: number, timeoutMs: number, signal?: AbortSignal): Promise<Snapshot | undefined>
  /** Has whoever waits for a snapshot look now instead of soon: a new key works as soon as its maker has it. */
  wake(): void
  /** Tells where the embedded engine listens now; null when there is none. */
  engineMovedTo(engineUrl: string | null): Promise<void>
  suppliers(): Promise<readonly SupplierView[]>
  /** With `tenant`: what this tenant may use, without what it costs us or who delivers it. */
  services(tenant?: string): Promise<readonly ServiceView[]>
  /** What tokens weigh in the units that are sold, now and announced; with `tenant`, for the services that it may use. */
  tables(tenant?: string): Promise<readonly ConversionTable[]>
  /** A price sheet by its id and what it prices, whether it is in force, to come or over; an open end is closed by the next sheet. */
  sheet(id: string): Promise<(PriceSheet & PriceLine) | undefined>
  /** All that `verify` rates records by again: what was in force then, whatever is now. */
  ratingSources(): Promise<RatingSources>
}

export interface CatalogueDeps {
  readonly database: Database
  readonly clock: Clock
  readonly identity: Identity
  readonly money: Money
  /** What supply contracts add to the snapshot; absent: nothing. */
  readonly supply?: Supply
}

/** How often a waiting gateway's version is looked up: one indexed row per room, for all that wait together. */
const POLL_MS = 250

/** How often is looked whether requests are paid for in another way than before. */
const FUNDING_MS = 1_000

const MOST_ATTEMPTS = 5

/** Changes whenever gateways must hear of whom to trust; empty while everybody is. */
const trustText = (trust: readonly Trust[]): string => (trust.length === 0 ? '' : JSON.stringify(trust))

/** Takes a rehearsed change back. */
class Rehearsed extends Error {
  override readonly name = 'Rehearsed'
}

export function createCatalogue({ database, clock, identity, money, supply }: CatalogueDeps): Catalogue {
  let engineUrl: string | null = null
  let waking = new AbortController()
  let cached: { readonly engineUrl: string | null; readonly untilMs: number; readonly snapshot: Snapshot } | undefined

  const commitments = createCommitments(database, money)
  const version = async () =>
    (await identity.revision(database)) + (await store.readRevision(database)) + ((await supply?.revision()) ?? 0)

  const signedCommitments = async () => (await supply?.supplyTerms())?.commitments ?? []

  let fundingNotedAtMs = -Infinity
  /** What requests are paid with changes by orders, by what is used up, and by time alone: whoever waits finds out. */
  const noteFunding = async () => {
    const nowMs = clock.nowMs()
    if (nowMs < fundingNotedAtMs + FUNDING_MS) return
    fundingNotedAtMs = nowMs
    await store.noteFunding(
      database,
      fundingHash(await money.funding(database)) + trustText((await supply?.trust?.()) ?? []),
    )
  }

  const build = async (): Promise<Snapshot> => {
    const current = await version()
    const nowMs = clock.nowMs()
    if (cached?.snapshot.version === current && cached.engineUrl === engineUrl && nowMs < cached.untilMs)
      return cached.snapshot
    const snapshot = await buildSnapshot(
      { database, identity, money, commitments, supply },
      { version: current, engineUrl, nowMs },
    )
    cached = { engineUrl, untilMs: nowMs + 60_000, snapshot }
    return snapshot
  }

  const sheet: Catalogue['sheet'] = async (id) => {
    const row = await store.selectSheet(database, id)
    if (!row) return undefined
    const { service, side, supplier, model } = row
    const line = (await store.selectSheets(database)).filter((each) => lineKey(each) === lineKey(row))
    const lined = lineUp(line).lined.find((each) => each.id === id) ?? row
    return { ...sheetOf(lined), service, side, supplier, model }
  }

  /** Of every conversion table, by id, withdrawn ones included: a gateway that was cut off may have used them. */
  const allVersions = async (): Promise<ReadonlyMap<string, TableVersionRow>> => {
    const lines = Map.groupBy(await tables.selectVersions(database), ({ table }) => table)
    const counting = [...lines.values()].flatMap((line) => lineUp(line).lined)
    const all = [
      ...(await tables.selectWithdrawnVersions(database)),
      ...counting,
      ...offeredVersions(await selectOffers(database, null)),
    ]
    return new Map(all.map((version) => [version.id, version]))
  }

  return {
    async apply({ text, fileName, dryRun }) {
      for (let attempt = 1; ; attempt++) {
        let reply: ApplyReply | undefined
        try {
          return await database.transaction(async (tx) => {
            reply = await applyInTransaction(tx, { identity, money }, { text, fileName, nowMs: clock.nowMs() })
            if (dryRun) throw new Rehearsed()
            return reply
          })
        } catch (error) {
          if (error instanceof Rehearsed && reply) return { changes: reply.changes, newKeys: [] }
          // Top-ups and running requests lock in one order, but whatever else meets here may not: whoever loses starts over.
          if (!store.isDeadlock(error) || attempt === MOST_ATTEMPTS) throw error
        }
      }
    },
    snapshot: build,
    async waitForSnapshot(after, timeoutMs, signal) {
      for (let waitedMs = 0; ; waitedMs += POLL_MS) {
        await noteFunding()
        await commitments.note(signedCommitments, clock.nowMs())
        if ((await version()) > after) return build()
        if (waitedMs >= timeoutMs || signal?.aborted) return undefined
        const signals = signal ? [signal, waking.signal] : [waking.signal]
        await sleep(Math.min(POLL_MS, timeoutMs - waitedMs), undefined, { signal: AbortSignal.any(signals) }).catch(
          () => undefined,
        )
      }
    },
    wake() {
      waking.abort()
      waking = new AbortController()
    },
    async engineMovedTo(url) {
      engineUrl = url
      await store.noteEngineUrl(database, url)
    },
    async suppliers() {
      const rows = await store.selectSuppliers(database)
      const contracts = Map.groupBy(await commitments.read([], clock.nowMs()), ({ supplier }) => supplier)
      return rows.map(({ id, displayName, kind, baseUrl, apiKeyEnv, maxConcurrency, terms }) => ({
        id,
        displayName,
        kind,
        baseUrl: baseUrl ?? engineUrl ?? '',
        apiKeyEnv,
        maxConcurrency,
        ...terms,
        ...listed('commitments', contracts.get(id)),
      }))
    },
    tables: (tenant) => tableViews(database, { tenant, nowMs: clock.nowMs() }),
    sheet,
    async ratingSources() {
      const versions = await allVersions()
      return {
        sheetById: sheet,
        async weights(id, service) {
          const version = versions.get(id)
          const weights = version?.weights.find((each) => each.service === service)?.weights
          return version && weights && { ...version, weights }
        },
        calendars: parseCalendars(await selectCalendars(database)),
      }
    },
    async services(tenant) {
      const [services, deployments, sheets] = await Promise.all([
        store.selectServices(database),
        store.selectDeployments(database),
        store.selectSheets(database),
      ])
      const nowMs = clock.nowMs()
      return services
        .filter((service) => tenant === undefined || service.tenants.length === 0 || service.tenants.includes(tenant))
        .map((service) => serviceView(service, tenant === undefined ? deployments : undefined, sheets, nowMs))
    },
  }
}

/** The tables by which reservations count come with their offers. */
function offeredVersions(offers: readonly OfferView[]): readonly TableVersionRow[] {
  return offers
    .flatMap(tablesOf)
    .flatMap(({ id: table, versions }) => versions.map((version) => ({ ...version, table })))
}
