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

/** A service's own prices, or what holds instead under conditions. */
interface Row {
  readonly key: string
  readonly service: ServiceView
  readonly variant: ServiceView['sellVariants'][number] | null
}

export function PriceTable({ services }: { readonly services: readonly ServiceView[] }) {
  const text = useText(servicesText)
  const common = useText(words)
  const format = useFormat()
  const { search } = useRoute()
  const price = ({ service, variant }: Row, name: string) => {
    const yuan = (variant?.perMillion ?? service.sellPerMillion)?.[name]
    return yuan === undefined ? '–' : format.money(parsePricePerMillion(yuan) * TOKENS_PER_PRICE)
  }
  const condition = (
    { tier, period, inputTokensAbove }: NonNullable<Row['variant']>['when'],
    { sellPeak }: ServiceView,
  ) =>
    [
      ...(tier === undefined ? [] : [text.tiers[tier]]),
      ...(period === undefined ? [] : [text.periods[period]]),
      ...(period === 'peak' && sellPeak ? [text.days[sellPeak.days], hoursText(sellPeak)] : []),
      ...(inputTokensAbove === undefined ? [] : [`${text.inputAbove} ${format.count(inputTokensAbove)}`]),
    ].join(' · ')
  const rows = services.flatMap((service): readonly Row[] => [
    { key: service.id, service, variant: null },
    ...service.sellVariants.map((variant, index) => ({ key: `${service.id}#${index}`, service, variant })),
  ])
  const columns: readonly Column<Row>[] = [
    {
      key: 'service',
      title: common.service,
      lead: true,
      cell: ({ service, variant }) =>
        variant ? (
          <div className="cell-note">{condition(variant.when, service)}</div>
        ) : (
          <>
            <code>{service.id}</code>
            {service.displayName !== service.id && <div className="cell-note">{service.displayName}</div>}
            {service.sellPerMillion === null && <div className="cell-note tone-bad">{text.noSheet}</div>}
          </>
        ),
    },
    {
      key: 'context',
      title: text.context,
      numeric: true,
      cell: ({ service, variant }) => (variant ? null : format.count(service.contextTokens)),
    },
    {
      key: 'maxOutput',
      title: text.maxOutput,
      numeric: true,
      cell: ({ service, variant }) => (variant ? null : format.count(service.maxOutputTokens)),
    },
    ...TOKEN_CLASSES.map((name): Column<Row> => ({
      key: name,
      title: common.tokenClasses[name],
      numeric: true,
      cell: (row) => price(row, name),
    })),
    {
      key: 'try',
      title: <span className="visually-hidden">{text.tryIt}</span>,
      numeric: true,
      cell: ({ service, variant }) =>
        variant ? null : <a href={hrefTo('playground', null, search, { service: service.id })}>{text.tryIt}</a>,
    },
  ]
  return <DataTable label={text.prices} columns={columns} rows={rows} rowKey={(row) => row.key} empty={null} />
}

/** `09:00–12:00, 14:00–18:00 +08:00` */
function hoursText({ hours, utcOffsetMinutes }: NonNullable<ServiceView['sellPeak']>): string {
  const spans = hours.map(({ fromMinute, toMinute }) => `${clock(fromMinute)}–${clock(toMinute)}`)
  const sign = utcOffsetMinutes < 0 ? '-' : '+'
  return `${spans.join(', ')} ${sign}${clock(Math.abs(utcOffsetMinutes))}`
}

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}
