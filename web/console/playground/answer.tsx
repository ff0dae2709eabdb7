import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'
import { ExplainReply } from '#contract'
import { ApiError, get } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { Debit } from '../../kit/debit.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { playgroundText } from './text.ts'
import type { ChatCall } from './use-chat-call.ts'

const MAX_COST_POLLS = 40
/** An answer that came in one burst has no speed that could be told from the network's. */
const SHORTEST_STREAM_MS = 50

export function Answer({ call }: { readonly call: ChatCall }) {
  const text = useText(playgroundText)
  const { search } = useRoute()
  const running = call.state === 'waiting' || call.state === 'streaming'
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight })
  }, [call.text])
  return (
    <Panel
      flush
      title={text.answer}
      aside={
        <>
          {call.finishReason && <span>{text.finish(call.finishReason)}</span>}
          {call.requestId && (call.state === 'done' || call.state === 'stopped') && (
            <a href={hrefTo('requests', call.requestId, search, { service: null })}>
              {text.viewRequest} <Id id={call.requestId} short />
            </a>
          )}
        </>
      }
    >
      <div
        ref={box}
        className="answer"
        aria-live="polite"
        aria-busy={running}
        data-testid="answer"
        data-state={call.state}
      >
        {call.state === 'idle' && <span className="muted">{text.idle}</span>}
        {call.state === 'waiting' && <span className="muted">{text.waiting}</span>}
        {call.text}
        {running && <span className="caret" />}
      </div>
      {call.state === 'failed' && <ProblemNotice error={call.error} />}
      {call.state === 'stopped' && <div className="notice notice-warn">{text.stopped}</div>}
      {call.state !== 'idle' && <Readings call={call} />}
    </Panel>
  )
}

/** What the call was worth in time, tokens and money; the cost comes from the books, not from an estimate here. */
function Readings({ call }: { readonly call: ChatCall }) {
  const text = useText(playgroundText)
  const format = useFormat()
  const ended = call.state === 'done' || call.state === 'stopped'
  const explain = useQuery({
    queryKey: ['explain', call.requestId],
    queryFn: ({ signal }) => readExplain(call.requestId ?? '', signal),
    enabled: ended && call.requestId !== null,
    refetchInterval: ({ state }) => (state.data?.posting || state.dataUpdateCount > MAX_COST_POLLS ? false : 700),
  })
  const record = explain.data?.record
  const outputTokens = call.usage?.completion_tokens ?? (record ? record.tokens.output + record.tokens.reasoning : null)
  const inputTokens =
    call.usage?.prompt_tokens ??
    (record ? record.tokens.uncachedInput + record.tokens.cacheRead + record.tokens.cacheWrite : null)
  const streamMs = ended && call.ttftMs !== null && call.elapsedMs !== null ? call.elapsedMs - call.ttftMs : null
  // The first token marks the start of the interval, so it is not one of those generated within it.
  const speed =
    streamMs !== null && streamMs >= SHORTEST_STREAM_MS && outputTokens !== null && outputTokens > 1
      ? ((outputTokens - 1) * 1000) / streamMs
      : null
  const readings: ReadonlyArray<readonly [string, ReactNode, ReactNode]> = [
    [text.ttft, call.ttftMs === null ? '–' : format.duration(call.ttftMs), null],
    [text.elapsed, call.elapsedMs === null ? '–' : format.duration(call.elapsedMs), null],
    [text.speed, speed === null ? '–' : format.decimal(speed), text.speedUnit],
    [
      text.usage,
      inputTokens === null ? '–' : text.inputTokens(format.count(inputTokens)),
      outputTokens === null ? null : text.outputTokens(format.count(outputTokens)),
    ],
    [
      text.cost,
      <Cost key="cost" reply={explain.data ?? null} />,
      <CostState
        key="state"
        ended={ended}
        reply={explain.data ?? null}
        failed={explain.isError || (explain.dataUpdatedAt > 0 && !explain.isFetching && explain.data === null)}
      />,
    ],
  ]
  return (
    <dl className="readings">
      {readings.map(([label, value, note]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            {value}
            {note !== null && <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Cost({ reply }: { readonly reply: ExplainReply | null }) {
  const format = useFormat()
  const paid = (reply?.record.draws ?? []).filter(({ kind }) => kind !== 'cap')
  return (
    <span className="tone-money" data-testid="cost">
      {reply && (reply.record.sellPico !== '0' || paid.length === 0) && format.money(reply.record.sellPico)}
      {paid.map((draw) => (
        <Debit key={draw.bucket} draw={draw} />
      ))}
      {!reply && '–'}
    </span>
  )
}

function CostState({
  ended,
  reply,
  failed,
}: {
  readonly ended: boolean
  readonly reply: ExplainReply | null
  readonly failed: boolean
}) {
  const text = useText(playgroundText)
  const format = useFormat()
  if (!ended) return null
  if (!reply) return failed ? text.costUnknown : text.costPending
  return `${reply.posting ? text.costPosted : text.costPending} · ${text.held(format.money(reply.record.holdPico))}`
}

/** Null while the record is still on its way from the gateway's journal to the books. */
async function readExplain(id: string, signal: AbortSignal): Promise<ExplainReply | null> {
  try {
    return await get(`/requests/${encodeURIComponent(id)}`, ExplainReply, { signal })
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}
