import { refuseChat } from '#protocols/openai-chat'
import { defineProblem } from '#kernel'

/** What the HTTP codec refuses by itself, in the protocol's own error shape. */
export function renderCodecRefusal(status: number, reason: string): { readonly head: string; readonly body: string } {
  const refused = defineProblem({
    code: status >= 500 ? 'http_unsupported' : 'http_refused',
    status,
    title: 'Refused',
    retryable: status === 408,
    detail: () => reason,
  })
  return { head: 'content-type: application/json\r\n', body: refuseChat(refused({})) }
}
