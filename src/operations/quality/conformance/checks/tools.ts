import { dig, fail, isRecord, listOf, pass, shown, verdictOf } from '../model.ts'
import { contentOf } from '../probe.ts'
import { refusedFeature } from '../session.ts'
import type { Check } from './check.ts'

const NAME = 'get_weather'
const TOOL = {
  type: 'function',
  function: {
    name: NAME,
    description: 'Tells the weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
}
const MESSAGES = [{ role: 'user', content: 'What is the weather in Paris?' }]
const forced = { messages: MESSAGES, tools: [TOOL], tool_choice: { type: 'function', function: { name: NAME } } }

/** What is wrong with a call of our tool. */
function flaws(name: unknown, id: unknown, args: unknown): string[] {
  let value: unknown
  try {
    value = typeof args === 'string' ? JSON.parse(args) : undefined
  } catch {
    value = undefined
  }
  return [
    ...(name === NAME ? [] : [`the function is ${shown(name)}`]),
    ...(typeof id === 'string' && id !== '' ? [] : [`the call's id is ${shown(id)}`]),
    ...(isRecord(value) && typeof value['city'] === 'string' ? [] : [`arguments are ${shown(args)}`]),
  ]
}

export const TOOL_CHECKS: readonly Check[] = [
  {
    id: 'tools.call',
    asks: 'A tool that must be called is called, with an id and arguments that are JSON of its schema.',
    async look(it) {
      const answer = await it.probe.post(it.ask(forced))
      const refused = refusedFeature(it, 'tools', answer)
      if (refused) return refused
      if (answer.status !== 200) return fail(`status ${answer.status}: ${shown(answer.text)}`)
      const call = dig(answer.json, 'choices', 0, 'message', 'tool_calls', 0)
      const args = dig(call, 'function', 'arguments')
      return verdictOf(flaws(dig(call, 'function', 'name'), dig(call, 'id'), args), shown(args))
    },
  },
  {
    id: 'tools.stream',
    asks: 'A streamed call names itself once, and its pieces of arguments join to JSON.',
    async look(it) {
      const streamed = await it.probe.stream(it.ask({ ...forced, stream: true }))
      const refused = refusedFeature(it, 'tools', streamed)
      if (refused) return refused
      if (streamed.status !== 200) return fail(`status ${streamed.status}: ${shown(streamed.text)}`)
      const pieces = streamed.events.flatMap(({ json }) => {
        const calls = listOf(dig(json, 'choices', 0, 'delta', 'tool_calls'))
        return calls.filter((each) => dig(each, 'index') === 0)
      })
      const told = (member: string) =>
        pieces.map((each) => dig(each, 'function', member)).filter((each) => typeof each === 'string')
      const ids = pieces.map((each) => dig(each, 'id')).filter((each) => each !== undefined && each !== null)
      const names = told('name')
      const args = told('arguments').join('')
      const wrong = [...flaws(names[0], ids[0], args), ...(names.length > 1 ? ['it is named more than once'] : [])]
      return verdictOf(wrong, `${pieces.length} pieces`)
    },
  },
  {
    id: 'tools.none',
    asks: 'With tool_choice none, no tool is called.',
    async look(it) {
      const answer = await it.probe.post(it.ask({ messages: MESSAGES, tools: [TOOL], tool_choice: 'none' }))
      const refused = refusedFeature(it, 'tools', answer)
      if (refused) return refused
      if (answer.status !== 200) return fail(`status ${answer.status}: ${shown(answer.text)}`)
      const calls = dig(answer.json, 'choices', 0, 'message', 'tool_calls')
      const isNone = calls === undefined || calls === null || (Array.isArray(calls) && listOf(calls).length === 0)
      return isNone ? pass('none') : fail(shown(calls))
    },
  },
  {
    id: 'tools.result',
    asks: "A tool's result is taken and answered in text.",
    async look(it) {
      const call = { id: 'call_1', type: 'function', function: { name: NAME, arguments: '{"city":"Paris"}' } }
      const messages = [
        ...MESSAGES,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: 'Rain, 12 degrees.' },
      ]
      const answer = await it.probe.post(it.ask({ messages, tools: [TOOL] }))
      const refused = refusedFeature(it, 'tools', answer)
      if (refused) return refused
      const text = contentOf(answer)
      const isText = answer.status === 200 && typeof text === 'string' && text !== ''
      return isText ? pass(`${text.length} characters`) : fail(`status ${answer.status}: ${shown(answer.text)}`)
    },
  },
]

const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' }, count: { type: 'integer' } },
  required: ['name', 'count'],
  additionalProperties: false,
}

const structured = (id: string, asks: string, format: unknown, isRight: (value: unknown) => boolean): Check => ({
  id,
  asks,
  async look(it) {
    const messages = [
      { role: 'user', content: 'Invent a thing. Answer in JSON with its name and how many there are (count).' },
    ]
    const answer = await it.probe.post(it.ask({ messages, response_format: format, max_tokens: 200 }))
    const refused = refusedFeature(it, 'structured_output', answer)
    if (refused) return refused
    const text = contentOf(answer)
    if (answer.status !== 200 || typeof text !== 'string') return fail(`status ${answer.status}: ${shown(answer.text)}`)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return fail(`no JSON: ${shown(text)}`)
    }
    return isRight(value) ? pass(shown(value)) : fail(shown(value))
  },
})

export const STRUCTURED_CHECKS: readonly Check[] = [
  structured(
    'structured.object',
    'With response_format json_object, the text is a JSON object.',
    { type: 'json_object' },
    isRecord,
  ),
  structured(
    'structured.schema',
    'With response_format json_schema, the text is JSON of exactly that schema.',
    { type: 'json_schema', json_schema: { name: 'thing', strict: true, schema: SCHEMA } },
    (value) =>
      isRecord(value) &&
      Object.keys(value).length === 2 &&
      typeof value['name'] === 'string' &&
      Number.isInteger(value['count']),
  ),
]
