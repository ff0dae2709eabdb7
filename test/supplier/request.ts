import * as z from 'zod'

const Message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.string().nullish(),
})
const Body = z.looseObject({
  model: z.string(),
  messages: z.array(Message).min(1),
  max_tokens: z.int().min(1).optional(),
  stream: z.boolean().optional(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  n: z.int().min(1).max(8).optional(),
  tools: z.array(z.unknown()).optional(),
  tool_choice: z.unknown().optional(),
  response_format: z.looseObject({ type: z.string() }).optional(),
})

export interface Asked {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly maxTokens: number
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly stop: string | undefined
  readonly n: number
  readonly callsTool: boolean
  readonly forbidsTool: boolean
  readonly format: string | undefined
}

/** The request, or which of the mistakes it has. */
export function readRequest(text: string): Asked | 'malformed' | 'missing' | 'wrong_type' {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'malformed'
  }
  const parsed = Body.safeParse(value)
  if (!parsed.success)
    return typeof value === 'object' && value !== null && 'messages' in value ? 'wrong_type' : 'missing'
  const body = parsed.data
  return {
    model: body.model,
    messages: body.messages.map(({ role, content }) => ({ role, content: content ?? '' })),
    maxTokens: body.max_tokens ?? 1000,
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    stop: typeof body.stop === 'string' ? body.stop : body.stop?.[0],
    n: body.n ?? 1,
    callsTool: typeof body.tool_choice === 'object' && body.tool_choice !== null,
    forbidsTool: body.tool_choice === 'none',
    format: body.response_format?.type,
  }
}
