import { splice } from '#platform/json'
import type { Edit, Span } from '#platform/json'
import type { ChatRequest } from './decode.ts'

type CapName = 'max_tokens' | 'max_completion_tokens'

/** What must differ in the supplier's copy of a request. */
export interface SupplierForm {
  readonly model: string
  /** Cap per choice: the client's, the service's when it gave none, or what can be paid for, so that the cost bound held is also enforced. */
  readonly maxOutputTokens: number
  /** The name under which this supplier takes the cap; most ignore the other one, and would answer without an end. */
  readonly maxTokensField: CapName
  /** No dearer tier is asked of a supplier than the client is billed for. */
  readonly isStandardTier: boolean
  /** What the assistant has said already, where it is to go on from there. `maxOutputTokens` then holds whatever the client's cap is. */
  readonly said?: string | undefined
}

/**
 * The client's body with the model renamed, the output capped and usage asked for: the parts to send, every other byte as it
 * came. Metering needs the usage chunk even when the client does not (it is taken out again on the way back).
 */
export function encodeForSupplier(request: ChatRequest, form: SupplierForm): Buffer[] {
  const edits: Edit[] = []
  const model = request.spans.get('model')
  if (model && form.model !== request.model) edits.push({ span: model, text: JSON.stringify(form.model) })
  const tier = request.spans.get('service_tier')
  if (tier && form.isStandardTier) edits.push({ span: tier, text: '"default"' })
  let insert = capUnder(form, request, edits)
  if (request.stream && !request.includeUsage) {
    const options = request.spans.get('stream_options')
    if (options) edits.push({ span: options, text: JSON.stringify({ ...request.streamOptions, include_usage: true }) })
    else insert += '"stream_options":{"include_usage":true},'
  }
  if (form.said !== undefined) insert += goOnFrom(form.said, request, edits)
  if (insert) edits.push({ span: { start: request.bodyStart, end: request.bodyStart }, text: insert })
  return splice(request.body, edits)
}

/**
 * The assistant's words as the last message, marked in every way that is in use for "go on from here": vLLM and SGLang read the two
 * members of the body, DeepSeek and Mistral `prefix`, Qwen and Kimi `partial`. Returns what is to be inserted.
 */
function goOnFrom(said: string, { spans }: ChatRequest, edits: Edit[]): string {
  const messages = spans.get('messages')
  if (!messages) return ''
  const message = JSON.stringify({ role: 'assistant', content: said, prefix: true, partial: true })
  // Before the bracket that closes the list, which is never empty.
  edits.push({ span: { start: messages.end - 1, end: messages.end - 1 }, text: `,${message}` })
  return '"continue_final_message":true,"add_generation_prompt":false,'
}

/** Sees to it that the cap stands under the supplier's name and, as OpenAI refuses both, under no other; returns what is to be inserted. */
function capUnder(
  { maxOutputTokens, maxTokensField, said }: SupplierForm,
  { spans, body }: ChatRequest,
  edits: Edit[],
): string {
  const cap = String(maxOutputTokens)
  const other = spans.get(maxTokensField === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens')
  if (other && !isNull(body, other)) edits.push({ span: other, text: 'null' })
  const own = spans.get(maxTokensField)
  if (!own) return `"${maxTokensField}":${cap},`
  // Also where the client gave a number: its account may pay for a shorter answer only.
  if (said !== undefined || isNull(body, own) || Number(body.toString('latin1', own.start, own.end)) > maxOutputTokens)
    edits.push({ span: own, text: cap })
  return ''
}

function isNull(body: Buffer, span: Span): boolean {
  return body[span.start] === 0x6e
}
