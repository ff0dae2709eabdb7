import type { ClassPrices, ServiceView, SlaTarget } from '#contract'
import { TOKEN_CLASSES, formatPricePerMillion } from '#kernel'
import { listed } from './for-gateways.ts'
import { inForceAt, lineUp } from './model.ts'
import type { SheetRow } from './model.ts'
import type { DeploymentRow, ServiceRow } from './store.ts'

/** What people see of a service: the sell sheet that is in force, in yuan per million tokens. */
export function serviceView(
  { id, displayName, contextTokens, maxOutputTokens, terms: { sla, ...terms } }: ServiceRow,
  /** Undefined for tenants, who see neither suppliers nor what they cost us. */
  deployments: readonly DeploymentRow[] | undefined,
  sheets: readonly SheetRow[],
  nowMs: number,
): ServiceView {
  const { lined } = lineUp(sheets.filter((sheet) => sheet.service === id && sheet.side === 'sell'))
  const sheet = inForceAt(lined, nowMs)
  return {
    id,
    displayName,
    contextTokens,
    maxOutputTokens,
    sellPerMillion: sheet ? perMillion(sheet.prices) : null,
    sellPeak: sheet?.peak ?? null,
    sellVariants: (sheet?.variants ?? []).map(({ when, prices }) => ({ when, perMillion: perMillion(prices) })),
    ...terms,
    ...listed('sla', deployments ? sla : sla?.map(promised)),
    deployments: (deployments ?? [])
      .filter(({ service }) => service === id)
      .map(({ supplier, model, priority, terms: more }) => ({ supplier, model, priority, ...more })),
  }
}

function promised({ class: slaClass, ttftMs, tpotMs, attainmentPpm }: SlaTarget) {
  return { class: slaClass, ttftMs, tpotMs, attainmentPpm }
}

function perMillion(prices: Readonly<Record<keyof ClassPrices, bigint | string>>): Record<string, string> {
  return Object.fromEntries(TOKEN_CLASSES.map((name) => [name, formatPricePerMillion(BigInt(prices[name]))]))
}
