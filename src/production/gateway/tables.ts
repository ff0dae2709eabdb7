import type { ConversionTable } from '#contract'
import { TOKEN_CLASSES, parseTokenPrices } from '#kernel'
import type { TokenPrices } from '#kernel'

/** A conversion table with its numbers read once. */
export interface Table {
  readonly id: string
  readonly displayName: string
  readonly versions: readonly TableVersion[]
}

export interface TableVersion {
  readonly id: string
  readonly fromMs: number
  readonly toMs: number
  /** By service: millionths of the table's unit per token. */
  readonly weights: ReadonlyMap<string, TokenPrices>
}

/** What a request is converted by. */
export interface Conversion {
  readonly table: string
  readonly version: string
  readonly weights: TokenPrices
}

export function readTables(tables: readonly ConversionTable[]): ReadonlyMap<string, Table> {
  return new Map(
    tables.map(({ id, displayName, versions }) => [
      id,
      {
        id,
        displayName,
        versions: versions.map((version) => ({
          id: version.id,
          fromMs: version.validFromMs,
          toMs: version.validToMs ?? Number.POSITIVE_INFINITY,
          weights: new Map(version.weights.map(({ service, weights }) => [service, parseTokenPrices(weights)])),
        })),
      },
    ]),
  )
}

/** How a service is paid in a table's unit at a time; undefined where it is not, which is never taken for free. */
export function conversionAt(table: Table, service: string, atMs: number): Conversion | undefined {
  for (const version of table.versions) {
    if (atMs < version.fromMs || atMs >= version.toMs) continue
    const weights = version.weights.get(service)
    if (!weights || TOKEN_CLASSES.every((name) => weights[name] === 0n)) return undefined
    return { table: table.id, version: version.id, weights }
  }
  return undefined
}
