import { parsePricePerMillion } from '#kernel'
import type { FactoryService, FactorySheet, FactorySupplier } from '#contract'
import { byPriority, sheetIdOf } from './model.ts'
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
    .toSorted(byPriority)
}

export function declaredSheet(
  { id, validFrom, validTo = null, taxPercent, perMillion }: FactorySheet,
  line: PriceLine,
  path: YamlPath,
): DeclaredSheet {
  return {
    path,
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
  }
}
