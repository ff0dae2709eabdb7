import type { ClassPrices, ServiceView } from '#contract'
import { TOKEN_CLASSES, formatPricePerMillion } from '#kernel'
import { inForceAt, lineUp } from './model.ts'
import type { SheetRow } from './model.ts'
import type { DeploymentRow, ServiceRow } from './store.ts'

/** What people see of a service: the sell sheet that is in force, in yuan per million tokens. */
export function serviceView(
  { id, displayName, contextTokens, maxOutputTokens }: ServiceRow,
  deployments: readonly DeploymentRow[],
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
    deployments: deployments
      .filter(({ service }) => service === id)
      .map(({ supplier, model, priority }) => ({ supplier, model, priority })),
  }
}

function perMillion(prices: Readonly<Record<keyof ClassPrices, bigint | string>>): Record<string, string> {
  return Object.fromEntries(TOKEN_CLASSES.map((name) => [name, formatPricePerMillion(BigInt(prices[name]))]))
}
