import type { ReactNode } from 'react'
import type { Offer } from '#contract'
import { parseUnits, parseYuan } from '#kernel'
import { Amount } from '../../kit/amount.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { shopText } from './text.ts'

type Fact = readonly [label: string, value: ReactNode]

/** An offer's price, tax included, and its terms in words. */
export function useOfferWords(offer: Offer): { readonly price: ReactNode; readonly facts: readonly Fact[] } {
  const text = useText(shopText)
  const format = useFormat()
  const yuan = (amount: string) => format.money(parseYuan(amount))
  const common: readonly Fact[] = [
    ...('services' in offer ? [[text.services, offer.services.join(', ')] as const] : []),
    ['term' in offer ? text.terms : '', 'term' in offer ? termText(offer.term) : ''] as const,
    ['overflow' in offer ? text.overflow : '', 'overflow' in offer ? text.overflows[offer.overflow] : ''] as const,
    [text.refund, text.refunds[offer.refund]],
    [text.tax, text.taxIncluded(offer.taxPercent)],
    [
      'maxMembers' in offer && offer.maxMembers > 0 ? text.members : '',
      'maxMembers' in offer ? text.upTo(offer.maxMembers) : '',
    ],
    [offer.approval === 'operator' ? text.approval : '', text.byOperator],
    [offer.mostPerTenant === null ? '' : text.mostPerTenant, offer.mostPerTenant ?? ''],
    [offer.saleTo === null ? '' : text.saleTo, offer.saleTo === null ? '' : format.fullDateTime(offer.saleTo)],
  ].filter(([label]) => label !== '') as readonly Fact[]

  function termText({ per, min, max, also }: Extract<Offer, { term: unknown }>['term']): string {
    const range = min === max ? `${min}` : `${min}–${max}`
    return `${[range, ...also].join(', ')} ${text.spans[per]}`
  }

  switch (offer.kind) {
    case 'package':
      return {
        price: yuan(offer.priceYuan),
        facts: [
          [
            text.brings,
            offer.table === 'CNY' ? (
              yuan(offer.units)
            ) : (
              <Amount key="units" amount={parseUnits(offer.units)} unit={offer.table} />
            ),
          ],
          [
            text.valid,
            'until' in offer.valid
              ? format.fullDateTime(offer.valid.until)
              : 'days' in offer.valid
                ? `${offer.valid.days} ${text.spans.day}`
                : `${offer.valid.months} ${text.spans.month}`,
          ],
          [text.priority, offer.priority],
          ...common,
        ],
      }
    case 'plan':
      return {
        price: (
          <>
            {yuan(offer.priceYuan)}{' '}
            <small>
              {text.per}{' '}
              {'days' in offer.period
                ? `${offer.period.days} ${text.spans.day}`
                : `${offer.period.months} ${text.spans.month}`}
            </small>
          </>
        ),
        facts: [
          ...offer.grants.map(({ table, units }): Fact => [
            text.bringsEach,
            <Amount key={table} amount={parseUnits(units)} unit={table} />,
          ]),
          ...(offer.creditLimitYuan === null ? [] : [[text.credit, yuan(offer.creditLimitYuan)] as const]),
          ...common,
        ],
      }
    case 'postpaid':
      return { price: text.postpaid, facts: [[text.credit, yuan(offer.creditLimitYuan)], ...common] }
    case 'throughput-tpm': {
      const parts = [
        [text.input, offer.input],
        [text.output, offer.output],
      ] as const
      const span = text.spans[offer.term.per]
      return {
        price: parts.flatMap(([name, one]) =>
          one === null
            ? []
            : [
                <div key={name}>
                  {yuan(one.priceYuan)} <small>{text.perUnitAnd(name, format.count(one.unitTokens), span)}</small>
                </div>,
              ],
        ),
        facts: [
          ...parts.flatMap(([name, one]): readonly Fact[] =>
            one === null ? [] : [[text.leastOf(name), text.unitsAndStep(one.minUnits, one.stepUnits)]],
          ),
          ...(offer.window ? [[text.window, `${offer.window.from}–${offer.window.to} +08:00`] as const] : []),
          ...(offer.dayCutoff === null ? [] : [[text.dayEnds, text.cutoff(offer.dayCutoff)] as const]),
          ...common,
        ],
      }
    }
    case 'provisioned':
      return {
        price: (
          <>
            {yuan(offer.hourPriceYuan)} <small>{text.perUnitHour}</small>
          </>
        ),
        facts: [
          [text.unitGives, text.tokensPerMinute(format.count(offer.unitTokens))],
          [text.least, text.unitsAndStep(offer.minUnits, offer.stepUnits)],
          [text.outputWeighs, offer.burndown.outputUnits],
          [text.cachedWeighs, offer.burndown.cacheReadUnits],
          ...common,
        ],
      }
    case 'spend-per-minute':
      return {
        price: (
          <>
            {offer.pricePercent} % <small>{text.ofReserved}</small>
          </>
        ),
        facts: [
          [text.least, text.yuanPerMinuteStep(yuan(offer.minYuanPerMinute), yuan(offer.stepYuanPerMinute))],
          ...common,
        ],
      }
  }
}
