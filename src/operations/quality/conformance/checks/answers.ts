import { dig, fail, listOf, pass, shown, verdictOf } from '../model.ts'
import { textOf } from '../probe.ts'
import type { Check } from './check.ts'

const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call']

/** Answers in one piece. */
export const ANSWER_CHECKS: readonly Check[] = [
  {
    id: 'answer.given',
    asks: 'A plain question is answered with 200 and JSON.',
    async look(it) {
      const { status, json, text } = await it.wholeAsCame()
      if (status !== 200) return fail(`status ${status}: ${shown(text)}`)
      return json === undefined ? fail(`the body is no JSON: ${shown(text)}`) : pass('status 200')
    },
  },
  {
    id: 'answer.type',
    asks: 'An answer says that it is application/json.',
    async look(it) {
      const type = (await it.whole()).headers.get('content-type') ?? 'nothing'
      return /^application\/json\b/i.test(type) ? pass(type) : fail(`content-type: ${type}`)
    },
  },
  {
    id: 'answer.shape',
    asks: 'An answer has id, object, created, model and one choice of the assistant with text.',
    async look(it) {
      const answer = await it.whole()
      const { json } = answer
      const wrong = [
        ...(typeof dig(json, 'id') === 'string' ? [] : [`id is ${shown(dig(json, 'id'))}`]),
        ...(dig(json, 'object') === 'chat.completion' ? [] : [`object is ${shown(dig(json, 'object'))}`]),
        ...(Number.isInteger(dig(json, 'created')) ? [] : [`created is ${shown(dig(json, 'created'))}`]),
        ...(typeof dig(json, 'model') === 'string' ? [] : [`model is ${shown(dig(json, 'model'))}`]),
        ...(dig(json, 'choices', 0, 'message', 'role') === 'assistant'
          ? []
          : ['the first choice is not the assistant’s']),
        ...(textOf(answer) !== '' ? [] : ['there is no text']),
      ]
      return verdictOf(wrong, `${textOf(answer).length} characters`)
    },
  },
  {
    id: 'answer.finish_reason',
    asks: 'An answer says why it ended, in a word of the protocol.',
    async look(it) {
      const reason = dig((await it.whole()).json, 'choices', 0, 'finish_reason')
      return typeof reason === 'string' && FINISH_REASONS.includes(reason)
        ? pass(reason)
        : fail(`finish_reason is ${shown(reason)}`)
    },
  },
  {
    id: 'models.listed',
    asks: 'GET /models lists the model.',
    async look(it) {
      const { status, json } = await it.probe.get('/models')
      if (status !== 200) return fail(`status ${status}`)
      const ids = listOf(dig(json, 'data')).map((each) => dig(each, 'id'))
      return ids.includes(it.probe.target.model) ? pass(`${ids.length} models`) : fail(`not among ${shown(ids)}`)
    },
  },
]
