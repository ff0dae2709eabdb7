import { useState } from 'react'
import type { ServiceView } from '#contract'
import { useText } from '../../kit/language.tsx'
import { EmptyState, Page, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useRoute } from '../../kit/router.ts'
import { useInfo, useScope, useServices } from '../../kit/scope.tsx'
import type { ChatBody } from '../../kit/snippets.ts'
import { TenantSelect } from '../../kit/tenant-select.tsx'
import { Answer } from './answer.tsx'
import { PricePanel } from './price-panel.tsx'
import { RequestForm } from './request-form.tsx'
import type { ChatDraft } from './request-form.tsx'
import { Snippets } from './snippets-panel.tsx'
import { playgroundText } from './text.ts'
import { useChatCall } from './use-chat-call.ts'

export default function PlaygroundPage() {
  const text = useText(playgroundText)
  const services = useServices()
  return (
    <Page title={text.title} lead={text.lead} actions={<TenantSelect allowAll={false} />}>
      <QueryView query={services} rows={8}>
        {(rows) => {
          const callable = rows.filter((service) => service.sellPerMillion !== null)
          return callable.length === 0 ? (
            <Panel>
              <EmptyState title={text.noServices} />
            </Panel>
          ) : (
            <Bench services={callable} />
          )
        }}
      </QueryView>
    </Page>
  )
}

function Bench({ services }: { readonly services: readonly ServiceView[] }) {
  const text = useText(playgroundText)
  const { tenant } = useScope()
  const { search } = useRoute()
  const gatewayUrl = useInfo().data?.gatewayUrl
  const wanted = services.find(({ id }) => id === search.get('service')) ?? services[0]
  const [draft, setDraft] = useState<ChatDraft>({
    service: wanted?.id ?? '',
    system: '',
    user: text.userDefault,
    maxTokens: Math.min(128, wanted?.maxOutputTokens ?? 128),
    temperature: 0.7,
  })
  const { call, send, price, stop } = useChatCall(tenant, gatewayUrl)
  const body = bodyOf(draft)
  return (
    <div className="bench">
      <div>
        <RequestForm
          draft={draft}
          services={services}
          running={call.state === 'waiting' || call.state === 'streaming'}
          blocked={tenant === null ? text.chooseTenant : null}
          onChange={setDraft}
          onSend={() => void send(body)}
          onStop={stop}
        />
        <PricePanel key={tenant ?? ''} disabled={tenant === null} onAsk={() => price(body)} />
      </div>
      <div>
        <Answer call={call} />
        {gatewayUrl && <Snippets gatewayUrl={gatewayUrl} body={body} />}
      </div>
    </div>
  )
}

function bodyOf(draft: ChatDraft): ChatBody {
  return {
    model: draft.service,
    messages: [
      ...(draft.system.trim() === '' ? [] : [{ role: 'system', content: draft.system } as const]),
      { role: 'user', content: draft.user },
    ],
    max_tokens: draft.maxTokens,
    temperature: draft.temperature,
    stream: true,
    stream_options: { include_usage: true },
  }
}
