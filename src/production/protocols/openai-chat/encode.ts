import { splice } from '#platform/json'
import type { Edit } from '#platform/json'
import type { ChatRequest } from './decode.ts'

/** What must differ in the supplier's copy of a request. */
export interface SupplierForm {
  readonly model: string
  /** Cap per choice, written under `maxTokensField` when the client gave none, so that the cost bound held is also enforced. */
  readonly maxOutputTokens: number
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
  /** No dearer tier is asked of a supplier than the client is billed for. */
  readonly isStandardTier: boolean
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
  let insert = ''
  if (request.maxOutputTokens === undefined) {
    for (const name of ['max_tokens', 'max_completion_tokens'] as const) {
      const nullish = request.spans.get(name)
      if (nullish) edits.push({ span: nullish, text: String(form.maxOutputTokens) })
    }
    if (edits.every((edit) => edit.text !== String(form.maxOutputTokens)))
      insert += `"${form.maxTokensField}":${form.maxOutputTokens},`
  }
  if (request.stream && !request.includeUsage) {
    const options = request.spans.get('stream_options')
    if (options) edits.push({ span: options, text: JSON.stringify({ ...request.streamOptions, include_usage: true }) })
    else insert += '"stream_options":{"include_usage":true},'
  }
  if (insert) edits.push({ span: { start: request.bodyStart, end: request.bodyStart }, text: insert })
  return splice(request.body, edits)
}
