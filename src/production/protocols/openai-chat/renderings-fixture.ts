/** How chat templates and engines in use turn a request into a prompt, written again from what they do. Markers are special tokens: one token each. */
export interface Prompt {
  readonly texts: readonly string[]
  readonly markers: number
}
export interface RenderedRequest {
  readonly messages: readonly Message[]
  readonly tools?: readonly Tool[] | undefined
}
export interface Message {
  readonly role: string
  readonly content?: string | null
  readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: string } }[]
}
export interface Tool {
  readonly type: string
  readonly function: { readonly name: string; readonly description?: string; readonly parameters?: unknown }
}
export type Rendering = (request: RenderedRequest) => Prompt

interface Writing {
  readonly indent?: number
  readonly escapeHtml?: boolean
  readonly escapeAll?: boolean
}

const MARK = '\u{10fffd}'

function prompt(text: string): Prompt {
  const texts = text.split(MARK)
  return { texts, markers: texts.length - 1 }
}

/** JSON with a space after `,` and `:`, as Python and Jinja write it, numbers in full. */
export function writeJson(value: unknown, writing: Writing = {}, depth = 0): string {
  const { indent } = writing
  const line = (level: number) => (indent === undefined ? '' : `\n${' '.repeat(indent * level)}`)
  if (typeof value === 'string') return writeText(value, writing)
  if (typeof value === 'number') return Math.abs(value) >= 1e15 && Math.abs(value) < 1e21 ? `${value}.0` : String(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const isList = Array.isArray(value)
  const parts = isList
    ? value.map((each) => writeJson(each, writing, depth + 1))
    : Object.entries(value).map(([name, each]) => `${writeText(name, writing)}: ${writeJson(each, writing, depth + 1)}`)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (parts.length === 0) return `${open}${close}`
  const inside = parts.map((part) => line(depth + 1) + part).join(indent === undefined ? ', ' : ',')
  return `${open}${inside}${line(depth)}${close}`
}

function writeText(text: string, { escapeHtml, escapeAll }: Writing): string {
  let json = JSON.stringify(text)
  if (escapeHtml) json = json.replaceAll(/[<>&'\u2028\u2029]/g, escapeUnit)
  if (escapeAll) json = json.replaceAll(/[^ -~]/g, escapeUnit)
  return json
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Engines parse the arguments of a call; where they are no JSON they stay the text they were. */
function argumentsOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

const callsOf = (message: Message) => message.tool_calls ?? []
const header = (role: string) => `${MARK}${role}${MARK}\n\n`

/** Tools indented by four, each message between headers. */
const llama3: Rendering = ({ messages, tools }) => {
  const told = tools?.map((tool) => `${writeJson(tool, { indent: 4 })}\n\n`).join('') ?? ''
  const turns = messages.map(
    (message) =>
      header(message.role === 'tool' ? 'ipython' : message.role) +
      (message.role === 'tool' ? writeJson(message.content ?? '') : (message.content ?? '')) +
      callsOf(message)
        .map(
          (call) =>
            `{"name": "${call.function.name}", "parameters": ${writeJson(argumentsOf(call.function.arguments))}}`,
        )
        .join('') +
      MARK,
  )
  const system = `${header('system')}Environment: ipython\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n`
  return prompt(`${MARK}${system}${told}${MARK}${turns.join('')}${header('assistant')}`)
}

/** The whole list of tools indented, and arguments too: no template known does both. */
const indented: Rendering = ({ messages, tools }) =>
  prompt(
    writeJson(tools ?? [], { indent: 4 }) +
      messages
        .map(
          (message) =>
            `${MARK}${message.role}\n${message.content ?? 'None'}` +
            callsOf(message)
              .map((call) => call.function.name + writeJson(argumentsOf(call.function.arguments), { indent: 4 }))
              .join('\n') +
            `${MARK}\n`,
        )
        .join(''),
  )

/** Go's encoding/json, which escapes HTML (Ollama), and beyond it every letter that is not ASCII (Python's default). */
const escaped =
  (writing: Writing): Rendering =>
  ({ messages, tools }) =>
    prompt(
      `${MARK}system\n${tools?.map((tool) => writeJson(tool, writing)).join('\n') ?? ''}${MARK}\n` +
        messages
          .map(
            (message) =>
              `${MARK}${message.role}\n${message.content ?? ''}` +
              callsOf(message)
                .map(
                  (call) =>
                    `\n<tool_call>\n{"name": "${call.function.name}", "arguments": ${writeJson(argumentsOf(call.function.arguments), writing)}}\n</tool_call>`,
                )
                .join('') +
              `${MARK}\n`,
          )
          .join(''),
    )

export function asTags(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return typeof value === 'string' ? value : writeJson(value)
  return Object.entries(value)
    .map(([name, each]) => `\n<${name}>${asTags(each)}</${name}>`)
    .join('')
}

/** Every member in tags of its name, arguments as parameters (Qwen3-Coder); tool answers in tags of words. */
const tags: Rendering = ({ messages, tools }) =>
  prompt(
    `${MARK}system\n<tools>${tools?.map((tool) => `\n<function>${asTags(tool.function)}\n</function>`).join('') ?? ''}\n</tools>${MARK}\n` +
      messages
        .map((message) => {
          const calls = callsOf(message).map((call) => {
            const given = argumentsOf(call.function.arguments)
            // The template knows only objects and refuses a list.
            const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
            const each = isObject ? Object.entries(given) : [['', given] as const]
            const parameters = each.map(
              ([name, value]) =>
                `<parameter=${name}>\n${typeof value === 'string' ? value : writeJson(value)}\n</parameter>\n`,
            )
            return `\n${MARK}\n<function=${call.function.name}>\n${parameters.join('')}</function>\n${MARK}`
          })
          const content = message.content ?? 'None'
          return message.role === 'tool'
            ? `${MARK}user\n<tool_response>\n${content}\n</tool_response>\n${MARK}\n`
            : `${MARK}${message.role}\n${content}${calls.join('')}${MARK}\n`
        })
        .join(''),
  )

/** Each tool told twice: a signature with its parameters in words, then the same as JSON (Hermes). */
const retold: Rendering = ({ messages, tools }) =>
  prompt(
    (tools ?? [])
      .map(({ function: { name, description = '', parameters } }) => {
        const properties = Object.entries((parameters as { properties?: object } | undefined)?.properties ?? {})
        const typeOf = (value: unknown) => writeJson((value as { type?: unknown } | null)?.type ?? 'any')
        const signature = properties.map(([each, value]) => `${each}: ${typeOf(value)}`).join(', ')
        const words = properties
          .map(([each, value]) => {
            const said = (value as { description?: unknown } | null)?.description
            return `        ${each}(${typeOf(value)}): ${typeof said === 'string' ? said : ''}\n`
          })
          .join('')
        return `{"type": "function", "function": {"name": "${name}", "description": "${name}(${signature}) -> dict - ${description}\n\n    Args:\n${words}", "parameters": ${writeJson(parameters)}}}\n`
      })
      .join('') +
      messages
        .map(
          (message) =>
            `${MARK}${message.role}\n${message.content ?? ''}${callsOf(message)
              .map(
                (call) =>
                  `\n<tool_call>\n{"name": "${call.function.name}", "arguments": ${writeJson(argumentsOf(call.function.arguments))}}\n</tool_call>`,
              )
              .join('')}${MARK}\n`,
        )
        .join(''),
  )

/** A vocabulary that has no markers: everything around a message is words. */
const words: Rendering = ({ messages, tools }) =>
  prompt(
    `[AVAILABLE_TOOLS] ${writeJson(tools ?? [])}[/AVAILABLE_TOOLS]` +
      messages
        .map(
          (message) =>
            `<|im_start|>${message.role}\n${message.content ?? ''}${callsOf(message)
              .map((call) => writeJson(call.function))
              .join(', ')}<|im_end|>\n`,
        )
        .join('') +
      '<|im_start|>assistant\n',
  )

export const renderings: Readonly<Record<string, Rendering>> = {
  llama3,
  indented,
  html: escaped({ escapeHtml: true }),
  ascii: escaped({ escapeHtml: true, escapeAll: true }),
  tags,
  retold,
  words,
}
