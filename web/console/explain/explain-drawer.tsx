import { useQuery } from '@tanstack/react-query'
import { Drawer } from 'antd'
import { ExplainReply } from '#contract'
import { get } from '../../kit/api.ts'
import { CopyButton, Id } from '../../kit/copy.tsx'
import { EndingBadge } from '../../kit/ending-badge.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Facts } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { AttemptWaterfall } from './attempt-waterfall.tsx'
import { CandidateTable } from './candidate-table.tsx'
import { DrawTable } from './draw-table.tsx'
import { MoneySection, PostingSection } from './money-sections.tsx'
import { explainText } from './text.ts'
import { TokenTable } from './token-table.tsx'

/** Everything known about one request. `id` null keeps the drawer shut. */
export function ExplainDrawer({ id, onClose }: { readonly id: string | null; readonly onClose: () => void }) {
  const text = useText(explainText)
  const explain = useQuery({
    queryKey: ['explain', id],
    queryFn: ({ signal }) => get(`/requests/${encodeURIComponent(id ?? '')}`, ExplainReply, { signal }),
    enabled: id !== null,
    // Until it is posted, the books are still catching up with the gateway.
    refetchInterval: (query) => (query.state.data && query.state.data.posting === null ? 2000 : false),
  })
  return (
    <Drawer
      open={id !== null}
      onClose={onClose}
      size={760}
      title={text.explain}
      styles={{ wrapper: { maxWidth: '100vw' } }}
      extra={id && <CopyButton text={id} label={text.copyId} />}
    >
      <QueryView query={explain} rows={12}>
        {(reply) => <Explanation reply={reply} />}
      </QueryView>
    </Drawer>
  )
}

function Explanation({ reply }: { readonly reply: ExplainReply }) {
  const text = useText(explainText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator } = useScope()
  const { record } = reply
  return (
    <>
      <section className="section">
        <div className="row" style={{ marginBottom: 10 }}>
          <Id id={record.id} />
          <EndingBadge ending={record.ending} />
          <span className="muted">{record.stream ? text.stream : text.notStream}</span>
        </div>
        <Facts
          facts={[
            [common.service, record.service],
            [common.tenant, record.tenant],
            [common.key, record.key],
            [text.accepted, format.fullDateTime(record.acceptedAtMs)],
            [text.ttft, record.ttftMs === null ? '–' : format.duration(record.ttftMs)],
            [text.duration, format.duration(record.durationMs)],
            [text.httpStatus, record.status],
            [text.finish, record.finishReason ?? '–'],
            [text.tier, common.tiers[record.tier ?? 'standard']],
            ...(isOperator
              ? ([
                  [common.supplier, record.supplier],
                  [text.model, record.model],
                  [text.gateway, `${record.gateway} · ${record.epoch}`],
                  [text.slice, record.slice === null ? '–' : <Id id={record.slice} />],
                ] as const)
              : []),
          ]}
        />
      </section>
      {isOperator && record.candidates.length > 0 && (
        <section className="section">
          <h3>{text.candidates}</h3>
          <CandidateTable record={record} />
        </section>
      )}
      {isOperator && record.attempts.length > 0 && (
        <section className="section">
          <h3>{text.attempts}</h3>
          <AttemptWaterfall record={record} />
        </section>
      )}
      <section className="section">
        <h3>{text.tokens}</h3>
        <TokenTable record={record} />
      </section>
      <section className="section">
        <h3>{text.paidWith}</h3>
        <DrawTable record={record} />
      </section>
      <section className="section">
        <h3>{text.money}</h3>
        <MoneySection record={record} />
      </section>
      <section className="section">
        <h3>{text.posting}</h3>
        <PostingSection reply={reply} />
      </section>
    </>
  )
}
