import { TOKEN_CLASSES, formatUnits, parseTokenPrices } from '#kernel'
import type { Caller, Directory, OfferedService } from './directory.ts'
import { perMillion } from './price-preview.ts'
import type { Sheet } from './pricing.ts'
import type { Table, TableVersion } from './tables.ts'

/** The conversion tables in force and announced, with what the caller's services debit per token. */
export function renderTables({ tables, services }: Directory, caller: Caller, nowMs: number): string {
  const isTheirs = (service: string) => services.get(service)?.mayUse(caller.tenant) === true
  const render = ({ id, displayName, versions }: Table) => ({
    id,
    displayName,
    versions: versions.filter(({ toMs }) => toMs > nowMs).map((version) => renderVersion(version, isTheirs)),
  })
  return JSON.stringify({ object: 'list', data: [...tables.values()].map(render) })
}

function renderVersion({ id, fromMs, toMs, weights }: TableVersion, isTheirs: (service: string) => boolean) {
  return {
    id,
    ...validity(fromMs, toMs),
    unitsPerToken: Object.fromEntries(
      [...weights]
        .filter(([service]) => isTheirs(service))
        .map(([service, perToken]) => [
          service,
          Object.fromEntries(TOKEN_CLASSES.map((name) => [name, formatUnits(perToken[name])])),
        ]),
    ),
  }
}

/** The sell prices in force and announced of the caller's services. */
export function renderPrices({ services }: Directory, caller: Caller, nowMs: number): string {
  const render = ({ id, sellSheets }: OfferedService) => ({
    model: id,
    sheets: sellSheets.filter(({ toMs }) => toMs > nowMs).map(renderSheet),
  })
  const theirs = [...services.values()].filter((service) => service.mayUse(caller.tenant))
  return JSON.stringify({ object: 'list', data: theirs.map(render) })
}

function renderSheet({ id, fromMs, toMs, taxPercent, terms, priced }: Sheet) {
  return {
    id,
    ...validity(fromMs, toMs),
    currency: terms.currency,
    taxPercent,
    yuanPerMillion: perMillion(priced.prices),
    ...(terms.peak ? { peak: terms.peak } : {}),
    // The first that fits decides.
    variants: (terms.variants ?? []).map(({ when, prices }) => ({
      when,
      yuanPerMillion: perMillion(parseTokenPrices(prices)),
    })),
  }
}

function validity(fromMs: number, toMs: number) {
  return {
    validFrom: new Date(fromMs).toISOString(),
    validTo: Number.isFinite(toMs) ? new Date(toMs).toISOString() : null,
  }
}
