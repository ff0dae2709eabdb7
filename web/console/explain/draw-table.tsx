import type { UsageRecord } from '#contract'
import { TOKEN_CLASSES, totalTokens } from '#kernel'
import { reservationOfBucket, tableOfBucket } from '../../kit/debit.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { words } from '../../kit/words.ts'
import { explainText } from './text.ts'

type Draw = NonNullable<UsageRecord['draws']>[number]

/** Who paid which tokens: packages and reservations in their units, the wallet for the rest, and the caps that it counted against. */
export function DrawTable({ record }: { readonly record: UsageRecord }) {
  const text = useText(explainText)
  const common = useText(words)
  const format = useFormat()
  const draws = record.draws ?? []
  const name = ({ kind, bucket }: Draw) =>
    kind === 'tokens' ? tableOfBucket(bucket) : kind === 'throughput' ? reservationOfBucket(bucket) : bucket
  const amount = (draw: Draw, value: string) =>
    draw.version === null ? format.money(value) : `${format.units(value)} ${common.units}`
  const covered = (draw: Draw) =>
    draw.covered
      ? TOKEN_CLASSES.filter((each) => (draw.covered?.[each] ?? 0) > 0)
          .map((each) => `${common.tokenClasses[each]} ${format.count(draw.covered?.[each] ?? 0)}`)
          .join(' · ') || '0'
      : '–'
  const inMoney = totalTokens(record.tokens) - draws.reduce((sum, { covered: c }) => sum + (c ? totalTokens(c) : 0), 0)
  return (
    <div className="table-scroll">
      <table className="table" aria-label={text.paidWith}>
        <thead>
          <tr>
            <th scope="col">{text.draw}</th>
            <th scope="col">{text.covered}</th>
            <th scope="col" className="numeric">
              {text.hold}
            </th>
            <th scope="col" className="numeric">
              {text.drawn}
            </th>
          </tr>
        </thead>
        <tbody>
          {draws.map((draw) => (
            <tr key={`${draw.kind}-${draw.bucket}`}>
              <td className="lead-cell">
                {text.drawKinds[draw.kind]} <code className="wrap">{name(draw)}</code>
                {draw.version !== null && <div className="cell-note wrap">{text.weights(draw.version)}</div>}
                {draw.kind === 'cap' && <div className="cell-note">{text.countsAgainst}</div>}
              </td>
              <td data-label={text.covered}>{covered(draw)}</td>
              <td className="numeric" data-label={text.hold}>
                {amount(draw, draw.held)}
              </td>
              <td className="numeric" data-label={text.drawn}>
                {amount(draw, draw.amount)}
              </td>
            </tr>
          ))}
          <tr>
            <td className="lead-cell">
              {record.payer === undefined ? text.wallet : text.walletOf(record.payer)}
              {draws.some(({ kind }) => kind !== 'cap') && <div className="cell-note">{text.restInMoney}</div>}
            </td>
            <td data-label={text.covered}>{format.count(Math.max(inMoney, 0))}</td>
            <td className="numeric" data-label={text.hold}>
              {format.money(record.holdPico)}
            </td>
            <td className="numeric" data-label={text.drawn}>
              <b className="tone-money">{format.money(record.sellPico)}</b>
            </td>
          </tr>
        </tbody>
      </table>
    </div>
  )
}
