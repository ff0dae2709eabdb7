import type { Entitlement } from '#contract'
import { Amount } from '../../kit/amount.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { shopText } from './text.ts'

/** What an order brings, in the units in which it is used. */
export function Entitlements({ entitlements }: { readonly entitlements: readonly Entitlement[] }) {
  const text = useText(shopText)
  const format = useFormat()
  if (entitlements.length === 0) return <>–</>
  return (
    <>
      {entitlements.map((one, index) => {
        if (one.kind === 'credit')
          return (
            <div key={index}>
              {text.credit} {format.money(one.limitPico)}
            </div>
          )
        if (one.kind === 'lot')
          return (
            <div key={index}>
              <Amount amount={one.amount} unit={one.unit} />{' '}
              <span className="cell-note">{text.lotPriority(one.priority)}</span>
            </div>
          )
        return one.dimensions.map(({ name, unit, amountPerMinute }) => (
          <div key={`${index}-${name}`}>
            <Amount amount={amountPerMinute} unit={unit} /> <span className="cell-note">{text.eachMinute}</span>
          </div>
        ))
      })}
    </>
  )
}
