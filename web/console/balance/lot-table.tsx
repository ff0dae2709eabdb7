import { Button } from 'antd'
import { useState } from 'react'
import type { LotView } from '#contract'
import { Amount, Share, Until } from '../../kit/amount.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState } from '../../kit/layout.tsx'
import type { Tone } from '../../kit/layout.tsx'
import { burnOrder } from './lot-order.ts'
import { balanceText } from './text.ts'

const tones: Readonly<Record<LotView['state'], Tone>> = {
  active: 'good',
  pending: 'warn',
  expired: 'bad',
  refunded: 'plain',
}

/** What the wallet and the tokens are made of: what burns next comes first, what is used up is folded away. */
export function LotTable({ lots }: { readonly lots: readonly LotView[] }) {
  const text = useText(balanceText)
  const format = useFormat()
  const [showsAll, setShowsAll] = useState(false)
  const order = burnOrder(lots)
  const isLive = (lot: LotView) => order.has(lot.id) || lot.state === 'pending'
  const rank = (lot: LotView) => order.get(lot.id) ?? (lot.state === 'pending' ? 1e6 : 1e9)
  const rows = lots
    .filter((lot) => showsAll || isLive(lot))
    .toSorted((a, b) => (a.unit === b.unit ? rank(a) - rank(b) : a.unit < b.unit ? -1 : 1))
  const hidden = lots.length - lots.filter(isLive).length
  const columns: readonly Column<LotView>[] = [
    {
      key: 'lot',
      title: text.lot,
      lead: true,
      cell: (row) => (
        <>
          <Badge tone={row.source === 'paid' ? 'plain' : row.source === 'package' ? 'good' : 'warn'}>
            {text.sources[row.source]}
          </Badge>{' '}
          <span className="cell-note wrap">{row.reference}</span>
        </>
      ),
    },
    {
      key: 'place',
      title: text.burnOrder,
      numeric: true,
      cell: (row) => {
        const place = order.get(row.id)
        return place === undefined ? '–' : format.count(place)
      },
    },
    { key: 'priority', title: text.priority, numeric: true, cell: (row) => format.count(row.priority) },
    {
      key: 'remaining',
      title: text.left,
      numeric: true,
      cell: (row) => (
        <b>
          <Amount amount={row.remaining} unit={row.unit} />
        </b>
      ),
    },
    {
      key: 'granted',
      title: text.granted,
      numeric: true,
      cell: (row) => <Amount amount={row.granted} unit={row.unit} />,
    },
    {
      key: 'share',
      title: text.usedShare,
      cell: (row) => (
        <Share part={BigInt(row.granted) - BigInt(row.remaining)} whole={BigInt(row.granted)} label={text.usedShare} />
      ),
    },
    { key: 'expires', title: text.expires, cell: (row) => <Until ms={row.expiresAtMs} /> },
    {
      key: 'state',
      title: text.state,
      cell: (row) => (
        <Badge tone={row.remaining === '0' ? 'plain' : tones[row.state]}>
          {row.state === 'active' && row.remaining === '0' ? text.usedUp : text.lotStates[row.state]}
        </Badge>
      ),
    },
  ]
  return (
    <>
      <DataTable
        label={text.lots}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.id}
        empty={<EmptyState title={text.noLots}>{text.noLotsMore}</EmptyState>}
      />
      {hidden > 0 && (
        <div className="table-more">
          <Button size="small" onClick={() => setShowsAll(!showsAll)}>
            {showsAll ? text.hideUsedUp : text.showUsedUp(format.count(hidden))}
          </Button>
        </div>
      )}
    </>
  )
}
