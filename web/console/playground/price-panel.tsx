import { useMutation } from '@tanstack/react-query'
import { Button } from 'antd'
import { parseUnits, parseYuan } from '#kernel'
import { Amount } from '../../kit/amount.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { words } from '../../kit/words.ts'
import type { PricePreview } from './price-preview.ts'
import { playgroundText } from './text.ts'

/** What the call in the form would cost at most, asked of the gateway itself. Asking costs nothing. */
export function PricePanel({
  disabled,
  onAsk,
}: {
  readonly disabled: boolean
  readonly onAsk: () => Promise<PricePreview>
}) {
  const text = useText(playgroundText)
  const format = useFormat()
  const price = useMutation({ mutationFn: onAsk })
  return (
    <Panel
      title={text.priceBefore}
      aside={
        <Button size="small" disabled={disabled} loading={price.isPending} onClick={() => price.mutate()}>
          {text.askPrice}
        </Button>
      }
    >
      {price.isError && <ProblemNotice error={price.error} />}
      {price.data ? (
        <div className="stack" style={{ gap: 4 }} data-testid="price-before">
          {price.data.means.map((means, index) => (
            <Means key={`${index}-${means.kind}`} means={means} />
          ))}
          <p className="cell-note">
            {text.bound(format.count(price.data.bound.inputTokens), format.count(price.data.bound.outputTokens))}
          </p>
        </div>
      ) : (
        !price.isError && <p className="muted">{text.priceLead}</p>
      )}
    </Panel>
  )
}

function Means({ means }: { readonly means: PricePreview['means'][number] }) {
  const text = useText(playgroundText)
  const common = useText(words)
  const units =
    means.table !== undefined && means.unitsAtMost !== undefined
      ? [{ table: means.table, unitsAtMost: means.unitsAtMost }]
      : (means.dimensions ?? [])
  return (
    <div className="row" style={{ justifyContent: 'space-between' }}>
      <span>
        {text.meansKinds[means.kind] ?? means.kind}{' '}
        {means.payer !== undefined && <code className="wrap">{means.payer}</code>}
      </span>
      <span>
        {common.atMost}{' '}
        {units.map(({ table, unitsAtMost }) => (
          <b key={table}>
            <Amount amount={parseUnits(unitsAtMost)} unit={table} />{' '}
          </b>
        ))}
        {means.yuanAtMost !== undefined && (
          <b className="tone-money">
            <Amount amount={parseYuan(means.yuanAtMost)} unit="CNY" />
          </b>
        )}
      </span>
    </div>
  )
}
