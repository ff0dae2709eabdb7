import * as z from 'zod'
import { compileJsonSchema } from './json-schema-grammar.ts'
import { type JsonSchema, SchemaError } from './json-schema.ts'
import { invalidRequest } from './problems.ts'

/** A turn of the conversation as it enters the prompt. */
export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly text: string
}

/** What the answer is made of: prose, JSON under a grammar, or one tool call under a grammar. */
export type AnswerShape =
  | { readonly kind: 'text' }
  | { readonly kind: 'json'; readonly grammar: string }
  | { readonly kind: 'tool_call'; readonly grammar: string; readonly names: readonly string[] }

/** A chat completion, checked and in the engine's own terms. */
export interface ChatRequest {
  readonly model: string
  readonly messages: readonly PromptMessage[]
  /** The last message is the answer's own beginning, which is gone on from and not said again. */
  readonly goesOn: boolean
  readonly stream: boolean
  readonly includeUsage: boolean
  /** Null: as much as the context has room for. */
  readonly maxTokens: number | null
  readonly temperature: number
  readonly topP: number
  readonly presencePenalty: number
  readonly frequencyPenalty: number
  readonly seed: number | null
  readonly stop: readonly string[]
  readonly shape: AnswerShape
}

/** What suits a model where a request leaves it open. */
export interface ModelHabits {
  readonly defaultTemperature: number
  /** Longest string that a schema leaves free, in characters; null for no bound. See `GrammarOptions`. */
  readonly maxFreeTextLength: number | null
}

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/
const Count = z.int().min(1).max(10_000_000)
const Schema = z.union([z.boolean(), z.record(z.string(), z.unknown())])

const TextPart = z.object({
  type: z.enum(['text', 'refusal']),
  text: z.string().optional(),
  refusal: z.string().optional(),
})
const ToolCall = z.object({ function: z.object({ name: z.string(), arguments: z.string() }) })
const Message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(TextPart)]).nullish(),
  tool_calls: z.array(ToolCall).nullish(),
})
const Tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string().regex(TOOL_NAME),
    parameters: Schema.nullish(),
    strict: z.boolean().nullish(),
  }),
})
const ToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
])
const ResponseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({ schema: Schema.nullish(), strict: z.boolean().nullish() }),
  }),
])
const Body = z.object({
  model: z.string().min(1),
  messages: z.array(Message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: Count.nullish(),
  max_completion_tokens: Count.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(16)]).nullish(),
  n: z.literal(1, 'Only one choice per request is supported.').nullish(),
  logprobs: z.literal(false, 'Log probabilities are not supported.').nullish(),
  tools: z.array(Tool).max(128).nullish(),
  tool_choice: ToolChoice.nullish(),
  response_format: ResponseFormat.nullish(),
  /** As vLLM and SGLang name it. */
  continue_final_message: z.boolean().nullish(),
})
type Body = z.infer<typeof Body>

/** Throws `invalidRequest`, which names the first field that is wrong. Unknown fields are ignored, as other engines do. */
export function parseChatRequest(body: unknown, habits: ModelHabits): ChatRequest {
  const parsed = Body.safeParse(body)
  if (!parsed.success) throw refusalOf(parsed.error)
  const asked = parsed.data
  const goesOn = asked.continue_final_message === true
  if (goesOn && asked.messages.at(-1)?.role !== 'assistant')
    throw invalidRequest({
      param: 'continue_final_message',
      message: `Invalid value for 'continue_final_message': the last message is not the assistant's.`,
    })
  return {
    model: asked.model,
    messages: asked.messages.map(promptMessage),
    goesOn,
    stream: asked.stream ?? false,
    includeUsage: asked.stream_options?.include_usage ?? false,
    maxTokens: asked.max_completion_tokens ?? asked.max_tokens ?? null,
    temperature: asked.temperature ?? habits.defaultTemperature,
    topP: asked.top_p ?? 1,
    presencePenalty: asked.presence_penalty ?? 0,
    frequencyPenalty: asked.frequency_penalty ?? 0,
    seed: typeof asked.seed === 'number' ? Number(BigInt.asUintN(32, BigInt(asked.seed))) : null,
    stop: typeof asked.stop === 'string' ? [asked.stop] : (asked.stop ?? []),
    shape: answerShape(asked, habits.maxFreeTextLength),
  }
}

function refusalOf(error: z.ZodError) {
  const [issue] = error.issues
  if (!issue || issue.path.length === 0) {
    return invalidRequest({ param: null, message: 'The request body must be a JSON object.' })
  }
  const param = issue.path.join('.')
  return invalidRequest({ param, message: `Invalid value for '${param}': ${issue.message}` })
}

function promptMessage(message: z.infer<typeof Message>): PromptMessage {
  const { content, role } = message
  const text = typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('')
  const calls = (message.tool_calls ?? []).map((call) =>
    JSON.stringify({ name: call.function.name, arguments: call.function.arguments }),
  )
  return { role: role === 'developer' ? 'system' : role, text: text + calls.join('') }
}

function answerShape(asked: Body, maxFreeTextLength: number | null): AnswerShape {
  const choice = asked.tool_choice ?? 'auto'
  if (choice === 'required' || typeof choice === 'object') return toolCallShape(asked, choice, maxFreeTextLength)
  const format = asked.response_format
  if (!format || format.type === 'text') return { kind: 'text' }
  const schema = format.type === 'json_object' ? { type: 'object' } : (format.json_schema.schema ?? { type: 'object' })
  const strict = format.type === 'json_schema' && format.json_schema.strict === true
  return {
    kind: 'json',
    grammar: grammarOf(schema, { strict, maxFreeTextLength }, 'response_format.json_schema.schema'),
  }
}

/**
 * One forced call. With a single candidate the model writes its arguments; with several it writes `{"name":…,"arguments":…}`,
 * so the choice is the model's own.
 */
function toolCallShape(
  asked: Body,
  choice: Exclude<z.infer<typeof ToolChoice>, 'none' | 'auto'>,
  maxFreeTextLength: number | null,
): AnswerShape {
  const tools = (asked.tools ?? []).map((tool) => tool.function)
  const candidates = choice === 'required' ? tools : tools.filter((tool) => tool.name === choice.function.name)
  if (candidates.length === 0) {
    throw invalidRequest({ param: 'tool_choice', message: `Invalid value for 'tool_choice': no such tool in 'tools'.` })
  }
  const options = { strict: candidates.every((tool) => tool.strict === true), maxFreeTextLength }
  const parameters = candidates.map((tool): JsonSchema => tool.parameters ?? { type: 'object', properties: {} })
  const grammars = parameters.map((schema, index) => grammarOf(schema, options, `tools.${index}.function.parameters`))
  const names = candidates.map((tool) => tool.name)
  const [first] = grammars
  return { kind: 'tool_call', grammar: grammars.length === 1 && first ? first : joinGrammars(names, grammars), names }
}

function grammarOf(schema: JsonSchema, options: Parameters<typeof compileJsonSchema>[1], param: string): string {
  try {
    return compileJsonSchema(schema, options)
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    throw invalidRequest({ param, message: `Invalid schema for '${param}': ${error.message}.` })
  }
}

/** Each tool keeps its own rules under its own prefix, so references resolve within its own schema. */
function joinGrammars(names: readonly string[], grammars: readonly string[]): string {
  const roots = names.map((name, index) => String.raw`"{\"name\":\"${name}\",\"arguments\":" t${index}root "}"`)
  const rules = grammars.map((grammar, index) =>
    grammar
      .split('\n')
      .map((line) => prefixRules(line, `t${index}`))
      .join('\n'),
  )
  return [`root ::= ${roots.join(' | ')}`, ...rules].join('\n')
}

const GRAMMAR_PIECE = /"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\{[\d,]*\}|[a-z][a-z0-9]*/g

function prefixRules(line: string, prefix: string): string {
  return line.replace(GRAMMAR_PIECE, (piece) => (/^[a-z]/.test(piece) ? prefix + piece : piece))
}
