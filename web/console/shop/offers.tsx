import { Button } from 'antd'
import { useState } from 'react'
import type { OfferView } from '#contract'
import { useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Facts, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { useOfferWords } from './offer-words.tsx'
import { OrderDialog } from './order-dialog.tsx'
import { useOffers } from './queries.ts'
import { shopText } from './text.ts'

/** What can be bought, with its price, what it brings and until when. Operators see drafts and what is over, too. */
export function Offers() {
  const text = useText(shopText)
  const { isOperator, tenant } = useScope()
  const offers = useOffers()
  const [ordering, setOrdering] = useState<OfferView | null>(null)
  return (
    <QueryView query={offers} rows={8}>
      {(rows) =>
        rows.length === 0 ? (
          <Panel>
            <EmptyState title={text.noOffers}>{isOperator && text.noOffersMore}</EmptyState>
          </Panel>
        ) : (
          <>
            {tenant === null && <p className="muted">{text.chooseTenant}</p>}
            <div className="offers">
              {rows.map((offer) => (
                <OfferCard
                  key={offer.id}
                  view={offer}
                  onOrder={tenant === null || offer.state !== 'launched' ? null : () => setOrdering(offer)}
                />
              ))}
            </div>
            {ordering && tenant !== null && (
              <OrderDialog view={ordering} tenant={tenant} onClose={() => setOrdering(null)} />
            )}
          </>
        )
      }
    </QueryView>
  )
}

function OfferCard({ view, onOrder }: { readonly view: OfferView; readonly onOrder: (() => void) | null }) {
  const text = useText(shopText)
  const { isOperator } = useScope()
  const { price, facts } = useOfferWords(view.offer)
  return (
    <article className="offer">
      <div className="row" style={{ justifyContent: 'space-between' }}>
        <Badge tone="plain">{text.kinds[view.kind]}</Badge>
        {isOperator && <Badge tone={view.state === 'launched' ? 'good' : 'warn'}>{text.offerStates[view.state]}</Badge>}
      </div>
      <h3>{view.name}</h3>
      <div className="offer-price">{price}</div>
      <Facts facts={facts} />
      <div className="offer-foot">
        <code className="cell-note wrap">{view.id}</code>
        {onOrder && (
          <Button type="primary" size="small" onClick={onOrder} aria-label={`${text.order} ${view.name}`}>
            {text.order}
          </Button>
        )}
      </div>
    </article>
  )
}
