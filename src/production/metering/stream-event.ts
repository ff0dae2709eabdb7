/** One choice of a chat completion chunk, as far as metering reads it. */
export interface ChunkChoice {
  readonly texts: readonly string[]
  /** What of `texts` is the answer itself. */
  readonly content: string
  readonly toolCalls: readonly string[]
  readonly finishReason: string | null
}

export interface ChunkEvent {
  readonly choices: readonly ChunkChoice[]
  /** The usage object, undefined when absent or null. */
  readonly usage: unknown
}

/** The `data` of one server-sent event (html.spec.whatwg.org, server-sent events), undefined for comments and other fields. */
export function eventData(event: string): string | undefined {
  let data: string | undefined
  for (const line of event.split('\n')) {
    if (!line.startsWith('data')) continue
    const rest = line.slice(4)
    if (rest !== '' && !rest.startsWith(':')) continue
    const value = rest.startsWith(': ') ? rest.slice(2) : rest.slice(1)
    data = data === undefined ? value : `${data}\n${value}`
  }
  return data
}

/** Parses a chunk whose characters are still the bytes of UTF-8; undefined when it is not a chunk (an in-band error included). */
export function readEvent(latin1: string): ChunkEvent | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(latin1, 'latin1').toString('utf8')) as unknown
  } catch {
    return undefined
  }
  if (!isObject(value) || value['error'] !== undefined) return undefined
  const { choices } = value
  if (choices !== undefined && choices !== null && !Array.isArray(choices)) return undefined
  return { choices: ((choices ?? []) as readonly unknown[]).map(readChoice), usage: value['usage'] ?? undefined }
}

/** Text, reasoning, refusals and tool calls: everything the model generated for this choice in this event, UTF-8 as latin1. */
export function deltaTexts(choice: ChunkChoice): readonly string[] {
  return [...choice.texts, ...choice.toolCalls].map((text) => Buffer.from(text, 'utf8').toString('latin1'))
}

const TEXT_MEMBERS = ['content', 'reasoning_content', 'reasoning', 'refusal'] as const

function readChoice(choice: unknown): ChunkChoice {
  if (!isObject(choice)) return { texts: [], content: '', toolCalls: [], finishReason: null }
  const delta = isObject(choice['delta']) ? choice['delta'] : isObject(choice['message']) ? choice['message'] : {}
  const reason = choice['finish_reason']
  return {
    texts: TEXT_MEMBERS.map((name) => delta[name]).filter(
      (text): text is string => typeof text === 'string' && text !== '',
    ),
    content: typeof delta['content'] === 'string' ? delta['content'] : '',
    toolCalls: toolCallTexts(delta['tool_calls']),
    finishReason: typeof reason === 'string' ? reason.slice(0, 64) : null,
  }
}

function toolCallTexts(calls: unknown): string[] {
  if (!Array.isArray(calls)) return []
  return calls.flatMap((call: unknown) => {
    const fn = isObject(call) && isObject(call['function']) ? call['function'] : {}
    return [fn['name'], fn['arguments']].filter((text): text is string => typeof text === 'string' && text !== '')
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
