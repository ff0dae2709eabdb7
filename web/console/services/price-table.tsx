import type { ServiceView } from '#contract'
import { parsePricePerMillion, TOKEN_CLASSES } from '#kernel'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { words } from '../../kit/words.ts'
import { servicesText } from './text.ts'

/** Pico per token times a million tokens is the price as an amount, exactly. */
const TOKENS_PER_PRICE = 1_000_000n

export function PriceTable({ services }: { readonly services: readonly ServiceView[] }) {
  const text = useText(servicesText)
  const common = useText(words)
  const format = useFormat()
  const { search } = useRoute()
  const price = (service: ServiceView, name: string) => {
    const yuan = service.sellPerMillion?.[name]
    return yuan === undefined ? '–' : format.money(parsePricePerMillion(yuan) * TOKENS_PER_PRICE)
  }
  const columns: readonly Column<ServiceView>[] = [
    {
      key: 'service',
      title: common.service,
      lead: true,
      cell: (row) => (
        <>
          <code>{row.id}</code>
          {row.displayName !== row.id && <div className="cell-note">{row.displayName}</div>}
          {row.sellPerMillion === null && <div className="cell-note tone-bad">{text.noSheet}</div>}
        </>
      ),
    },
    { key: 'context', title: text.context, numeric: true, cell: (row) => format.count(row.contextTokens) },
    { key: 'maxOutput', title: text.maxOutput, numeric: true, cell: (row) => format.count(row.maxOutputTokens) },
    ...TOKEN_CLASSES.map((name): Column<ServiceView> => ({
      key: name,
      title: common.tokenClasses[name],
      numeric: true,
      cell: (row) => price(row, name),
    })),
    {
      key: 'try',
      title: <span className="visually-hidden">{text.tryIt}</span>,
      numeric: true,
      cell: (row) => <a href={hrefTo('playground', null, search, { service: row.id })}>{text.tryIt}</a>,
    },
  ]
  return <DataTable label={text.prices} columns={columns} rows={services} rowKey={(row) => row.id} empty={null} />
}
