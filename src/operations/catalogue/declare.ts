import { TOKEN_CLASSES, parsePricePerMillion, parseUnits, pico, scalePrices } from '#kernel'
import type { TokenPrices } from '#kernel'
import type {
  ClassPrices,
  FactoryCalendar,
  FactoryService,
  FactorySheet,
  FactorySupplier,
  FactoryTableVersion,
  PerMillion,
} from '#contract'
import { byPriority, sheetIdOf, versionIdOf } from './model.ts'
import type { CalendarRow, PriceLine, SheetRow, TableVersionRow } from './model.ts'
import type { Declared } from './plan-dated.ts'
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
    terms: declared(supplier, ['region', 'requestsPerMinute', 'tokensPerMinute', 'learnLimitBy']),
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
    hedge: service.hedge,
    terms: declared(service, ['sla', 'regions']),
  }
}

export function deploymentRows(service: FactoryService): readonly DeploymentRow[] {
  return service.deployments
    .map((deployment) => ({
      service: service.id,
      supplier: deployment.supplier,
      model: deployment.model,
      priority: deployment.priority,
      terms: declared(deployment, ['contextTokens', 'features', 'needsLot']),
    }))
    .toSorted(byPriority)
}

export function declaredSheet(
  { id, validFrom, validTo = null, taxPercent, perMillion, peak, variants }: FactorySheet,
  line: PriceLine,
  path: YamlPath,
): Declared<SheetRow> {
  const prices = perToken(perMillion, parsePricePerMillion)
  return {
    path,
    row: {
      ...line,
      id: id ?? sheetIdOf(line, validFrom),
      validFromMs: validFrom,
      validToMs: validTo,
      taxPercent,
      prices,
      peak: peak
        ? {
            calendar: peak.calendar,
            utcOffsetMinutes: peak.utcOffset,
            days: peak.days,
            hours: peak.hours.toSorted((a, b) => a.fromMinute - b.fromMinute),
          }
        : null,
      // Expanded here and kept as they are then, so that what a multiplier gives never depends on who computes it, or when.
      variants: variants.map((variant) => ({
        when: variant.when,
        prices: texts(
          variant.perMillion
            ? perToken(variant.perMillion, parsePricePerMillion)
            : scalePrices(prices, variant.multiplier ?? '1'),
        ),
      })),
    },
  }
}

export function declaredVersion(
  { id, validFrom, validTo = null, weights }: FactoryTableVersion,
  table: string,
  path: YamlPath,
): Declared<TableVersionRow> {
  return {
    path,
    row: {
      table,
      id: id ?? versionIdOf(table, validFrom),
      validFromMs: validFrom,
      validToMs: validTo,
      weights: weights
        .map((each) => ({ service: each.service, weights: texts(perToken(each.perToken, parseUnits)) }))
        .toSorted((a, b) => (a.service < b.service ? -1 : 1)),
    },
  }
}

export function calendarRow(calendar: FactoryCalendar): CalendarRow {
  const { id, name = id, source, coversFrom, coversTo, holidays, workedWeekendDays } = calendar
  return {
    id,
    displayName: name,
    source,
    coversFrom,
    coversTo,
    holidays: holidays.flat().toSorted(),
    workedWeekendDays: workedWeekendDays.flat().toSorted(),
  }
}

/** The members of these names that the file has. */
export function declared<Whole extends object, Name extends keyof Whole>(
  whole: Whole,
  names: readonly Name[],
): { [Each in Name]?: Exclude<Whole[Each], undefined> } {
  return Object.fromEntries(names.flatMap((name) => (whole[name] === undefined ? [] : [[name, whole[name]]]))) as {
    [Each in Name]?: Exclude<Whole[Each], undefined>
  }
}

function perToken(values: PerMillion, parse: (text: string) => bigint): TokenPrices {
  return {
    uncachedInput: pico(parse(values.uncachedInput)),
    cacheWrite: pico(parse(values.cacheWrite)),
    cacheRead: pico(parse(values.cacheRead)),
    output: pico(parse(values.output)),
    reasoning: pico(parse(values.reasoning)),
  }
}

/** As they travel: whole numbers as decimal strings. */
export function texts(prices: Readonly<Record<(typeof TOKEN_CLASSES)[number], bigint>>): ClassPrices {
  return Object.fromEntries(TOKEN_CLASSES.map((name) => [name, `${prices[name]}`])) as ClassPrices
}
