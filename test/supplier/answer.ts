import type { Asked } from './request.ts'
import type { Defect } from './defects.ts'

/** Four bytes are a token here, so a text of n tokens is exactly 4 n letters. */
const BYTES_PER_TOKEN = 4
export const tokensOf = (text: string): number => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)
const MESSAGE_TOKENS = 4

const LETTER =
  'A letter is put into a box, a person takes it to an office, there it is sorted by town, a train or a lorry brings it near, and at last somebody on foot or on a bicycle drops it through the right door of a house.'

export interface Made {
  readonly text: string
  readonly finish: string
  readonly call: { readonly id: string; readonly name: string; readonly args: string } | undefined
  readonly choices: number
}

export const promptTokens = (asked: Asked): number =>
  asked.messages.reduce((sum, { content }) => sum + MESSAGE_TOKENS + tokensOf(content), 0)

/** What a well-behaved model answers, and what a defect makes of it. */
export function makeAnswer(asked: Asked, has: (defect: Defect) => boolean): Made {
  const choices = has('one_choice') ? 1 : asked.n
  if (asked.callsTool || (has('calls_anyway') && asked.forbidsTool)) {
    const isBroken = has(asked.stream ? 'bad_streamed_arguments' : 'bad_arguments')
    const call = { id: 'call_77', name: 'get_weather', args: isBroken ? '{"city": Paris' : '{"city":"Paris"}' }
    return { text: '', finish: 'tool_calls', call, choices }
  }
  const full = structuredText(asked, has) ?? LETTER
  const limit = has('ignores_max_tokens') ? full.length : asked.maxTokens * BYTES_PER_TOKEN
  const stopAt = asked.stop === undefined || has('ignores_stop') ? -1 : full.indexOf(asked.stop)
  const whole = stopAt < 0 ? full : full.slice(0, stopAt)
  const isCut = asked.maxTokens * BYTES_PER_TOKEN < whole.length
  const reason =
    isCut && !has('stop_for_length') ? 'length' : has('finish_eos') && !asked.stream && !isCut ? 'eos' : 'stop'
  return { text: whole.slice(0, limit), finish: reason, call: undefined, choices }
}

function structuredText({ format }: Asked, has: (defect: Defect) => boolean): string | undefined {
  if (format === 'json_object') return has('prose_for_object') ? 'Here you are: {}' : '{"any":true}'
  if (format === 'json_schema') return has('other_schema') ? '{"name":"cup"}' : '{"name":"cup","count":3}'
  return undefined
}

export function usageOf(asked: Asked, { text, call }: Made, has: (defect: Defect) => boolean): Record<string, unknown> {
  const honest = { prompt: promptTokens(asked), output: call ? tokensOf(call.args) : tokensOf(text) }
  const prompt =
    (has('inflates_prompt') ? Math.round(honest.prompt * 1.6) : honest.prompt) +
    (has('counts_streams_otherwise') && asked.stream ? 5 : 0)
  const inflated = has('inflates_output') ? Math.round(honest.output * 1.3) : honest.output
  const output = has('zero_output') && !asked.stream ? 0 : inflated
  return {
    prompt_tokens: prompt,
    completion_tokens: has('null_output') && !asked.stream ? null : output,
    total_tokens: prompt + output + (has('bad_total') ? 1 : 0),
    prompt_tokens_details: { cached_tokens: has('cached_above_prompt') ? prompt + 1 : 0 },
    completion_tokens_details: { reasoning_tokens: has('reasoning_above_output') ? output + 1000 : 0 },
  }
}
