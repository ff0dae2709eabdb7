import type { UsageRecord } from '#contract'
import { useFormat, useText } from '../../kit/language.tsx'
import { explainText } from './text.ts'

const WELL_ENDED = new Set(['served', 'client_closed', 'lost_race', 'displaced'])

/** Attempts on one time axis from acceptance to the end of the request; the upright marks are first tokens. */
export function AttemptWaterfall({ record }: { readonly record: UsageRecord }) {
  const text = useText(explainText)
  const format = useFormat()
  const span = Math.max(record.durationMs, record.ttftMs ?? 0, 1, ...record.attempts.map((attempt) => attempt.endMs))
  const at = (ms: number) => `${((ms / span) * 100).toFixed(2)}%`
  return (
    <div className="waterfall">
      {record.attempts.map((attempt, index) => (
        <div className="attempt" key={`${index}-${attempt.supplier}`}>
          <div className="attempt-name">
            <b title={attempt.model}>{attempt.supplier}</b>
            <span className={WELL_ENDED.has(attempt.outcome) ? 'cell-note' : 'cell-note tone-bad'}>
              {text.outcomes[attempt.outcome]}
              {attempt.status === null ? '' : ` · ${attempt.status}`}
              {attempt.role === undefined ? '' : ` · ${text.roles[attempt.role]}`}
              {attempt.tokens === undefined
                ? ''
                : ` · ${text.outputTokens(format.count(attempt.tokens.output + attempt.tokens.reasoning))}`}
              {attempt.buyPico === undefined ? '' : ` · ${text.owed(format.fineMoney(attempt.buyPico))}`}
            </span>
          </div>
          <div className="attempt-track">
            <i
              className={WELL_ENDED.has(attempt.outcome) ? undefined : 'failed'}
              style={{ left: at(attempt.startMs), width: at(Math.max(attempt.endMs - attempt.startMs, 0)) }}
            />
            {attempt.firstTokenMs !== undefined && (
              <b
                style={{ left: at(attempt.firstTokenMs) }}
                title={text.ttftMark(format.duration(attempt.firstTokenMs))}
              />
            )}
          </div>
          <div className="attempt-time">{format.duration(attempt.endMs - attempt.startMs)}</div>
        </div>
      ))}
      <div className="row cell-note" style={{ justifyContent: 'space-between' }}>
        <span>0</span>
        {record.ttftMs !== null && <span className="tone-money">{text.ttftMark(format.duration(record.ttftMs))}</span>}
        <span>{format.duration(span)}</span>
      </div>
    </div>
  )
}
