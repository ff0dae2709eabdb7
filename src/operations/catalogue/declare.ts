import { parsePricePerMillion } from '#kernel'
import type { FactoryFile, FactoryService, FactorySheet, FactorySupplier } from '#contract'
import { sheetIdOf } from './model.ts'
import type { PriceLine } from './model.ts'
import type { DeclaredSheet } from './plan-sheets.ts'
import type { DeploymentRow, ServiceRow, SupplierRow } from './store.ts'
import type { YamlPath } from './yaml-source.ts'

/** From the words of the file to the rows of the tables, in one place. */

export function supplierRow(supplier: FactorySupplier): SupplierRow {
  return {
    id: supplier.id,
    displayName: supplier.name ?? supplier.id,
    kind: supplier.kind,
    baseUrl: supplier.baseUrl ?? null,
    apiKeyEnv: supplier.apiKeyEnv ?? null,
    maxConcurrency: supplier.maxConcurrency,
    maxTokensField: supplier.maxTokensField,
  }
}

export function serviceRow(service: FactoryService): ServiceRow {
  return {
    id: service.id,
    displayName: service.name ?? service.id,
    contextTokens: service.contextTokens,
    maxOutputTokens: service.maxOutputTokens,
    tokenizer: service.tokenizer,
    tenants: [...new Set(service.tenants)].toSorted(),
    firstByteTimeoutMs: service.timeouts.firstByteMs,
    idleTimeoutMs: service.timeouts.idleMs,
    totalTimeoutMs: service.timeouts.totalMs,
  }
}

export function deploymentRows(service: FactoryService): readonly DeploymentRow[] {
  return service.deployments
    .map(({ supplier, model, priority }) => ({ service: service.id, supplier, model, priority }))
    .toSorted((a, b) => a.priority - b.priority || compareText(a.supplier, b.supplier) || compareText(a.model, b.model))
}

export function declaredSheets(file: FactoryFile): readonly DeclaredSheet[] {
  return file.services.flatMap((service, index) => [
    ...sheetsOf(service.sell, { service: service.id, side: 'sell', supplier: null, model: null }, [
      'services',
      index,
      'sell',
    ]),
    ...service.deployments.flatMap(({ supplier, model, buy }, position) =>
      sheetsOf(buy, { service: service.id, side: 'buy', supplier, model }, [
        'services',
        index,
        'deployments',
        position,
        'buy',
      ]),
    ),
  ])
}

function sheetsOf(sheets: readonly FactorySheet[], line: PriceLine, path: YamlPath): readonly DeclaredSheet[] {
  return sheets.map(({ id, validFrom, validTo = null, taxPercent, perMillion }, index) => ({
    path: [...path, index],
    row: {
      ...line,
      id: id ?? sheetIdOf(line, validFrom),
      validFromMs: validFrom,
      validToMs: validTo,
      taxPercent,
      prices: {
        uncachedInput: parsePricePerMillion(perMillion.uncachedInput),
        cacheWrite: parsePricePerMillion(perMillion.cacheWrite),
        cacheRead: parsePricePerMillion(perMillion.cacheRead),
        output: parsePricePerMillion(perMillion.output),
        reasoning: parsePricePerMillion(perMillion.reasoning),
      },
    },
  }))
}

/** The database's collation is by code point, and so is this. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
