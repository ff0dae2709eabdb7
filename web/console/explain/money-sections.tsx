import type { ExplainReply, UsageRecord } from '#contract'
import { Id } from '../../kit/copy.tsx'
import { EntriesTable } from '../../kit/entries-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Facts } from '../../kit/layout.tsx'
import { useScope } from '../../kit/scope.tsx'
import { explainText } from './text.ts'

/** What was held, what was charged of it, and what it cost us. */
export function MoneySection({ record }: { readonly record: UsageRecord }) {
  const text = useText(explainText)
  const format = useFormat()
  const { isOperator } = useScope()
  const hold = BigInt(record.holdPico)
  const sell = BigInt(record.sellPico)
  // In parts per ten thousand, so that the division stays among integers.
  const share = hold === 0n ? 0 : Number((sell * 10_000n) / hold)
  return (
    <div className="stack">
      <Facts
        facts={[
          [text.hold, format.money(hold)],
          [
            text.charge,
            <b key="sell" className="tone-money">
              {format.money(sell)}
            </b>,
          ],
          [text.tax, format.money(record.taxPico)],
          [text.released, format.money(hold - sell)],
          ...(isOperator
            ? ([
                [text.buy, format.money(record.buyPico)],
                [text.margin, format.money(sell - BigInt(record.taxPico) - BigInt(record.buyPico))],
                [text.sellSheet, <code key="sheet">{record.sellSheet}</code>],
                [text.buySheet, <code key="sheet">{record.buySheet || '–'}</code>],
              ] as const)
            : []),
        ]}
      />
      <div>
        <div className="bar" role="img" aria-label={text.holdBar(format.percent(share, 10_000))}>
          <i style={{ width: `${share / 100}%`, background: 'var(--money)' }} />
        </div>
        <span className="cell-note">{text.holdBar(format.percent(share, 10_000))}</span>
      </div>
    </div>
  )
}

export function PostingSection({ reply }: { readonly reply: ExplainReply }) {
  const text = useText(explainText)
  const format = useFormat()
  const { posting, shares, corrections } = reply
  if (!posting) return <p className="muted">{text.notPosted}</p>
  return (
    <div className="stack">
      <Facts
        facts={[
          [text.postingId, <Id key="id" id={posting.id} />],
          [text.booked, format.fullDateTime(posting.bookedAtMs)],
          [
            text.hash,
            <code key="hash" className="wrap">
              {posting.hash}
            </code>,
          ],
        ]}
      />
      {shares.length > 0 ? (
        <EntriesTable label={text.shares} entries={shares} />
      ) : (
        <p className="muted">{text.nothingToPost}</p>
      )}
      {corrections.map(({ version, kind, sellPico, sellSheet, reason, madeAtMs }) => (
        <p key={version}>
          {format.fullDateTime(madeAtMs)} · {kind === 'refund' ? text.givenBack : text.ratedAgain(sellSheet)} ·{' '}
          {format.money(sellPico)} · {reason}
        </p>
      ))}
    </div>
  )
}
