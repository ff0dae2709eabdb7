import { dig, fail, listOf, notApplicable, pass, shown } from '../model.ts'
import { textOf } from '../probe.ts'
import type { Answer } from '../probe.ts'
import { NotSeen, refusedFeature } from '../session.ts'
import type { Session } from '../session.ts'
import { filler } from './filler.ts'
import type { Check } from './check.ts'

const FEW_TOKENS = 8
/** A tokenizer's own slack: an end marker, or a word that sampling spelt in more tokens. */
const SLACK_TOKENS = 2
/** How much of the stated context must be taken; the rest is room for the template and the answer. */
const MOST_OF_CONTEXT = 0.9

async function short(it: Session): Promise<Answer> {
  const answer = await it.probe.post(it.ask({ max_tokens: FEW_TOKENS }))
  if (answer.status !== 200) throw new NotSeen('answer.given')
  return answer
}

/** Members of a request that bound or shape an answer. */
export const PARAMETER_CHECKS: readonly Check[] = [
  {
    id: 'limit.max_tokens',
    asks: `With ${FEW_TOKENS} tokens at most, no more than ${FEW_TOKENS} tokens of text come.`,
    async look(it) {
      const text = textOf(await short(it))
      const long = textOf(await it.whole())
      if (it.counter) {
        const tokens = it.counter.text(text)
        const saw = `${tokens} tokens by our count`
        return tokens <= FEW_TOKENS + SLACK_TOKENS ? pass(saw) : fail(saw)
      }
      const saw = `${text.length} characters, ${long.length} with more tokens allowed`
      if (long.length < 4 * FEW_TOKENS) return notApplicable(`the model says little: ${saw}`)
      return text.length * 2 <= long.length ? pass(saw) : fail(saw)
    },
  },
  {
    id: 'limit.finish_reason',
    asks: 'An answer that its limit cut says finish_reason length.',
    async look(it) {
      const answer = await short(it)
      const [text, long] = [textOf(answer), textOf(await it.whole())]
      const reason = dig(answer.json, 'choices', 0, 'finish_reason')
      if (text.length >= long.length) return notApplicable('the answer was not cut')
      return reason === 'length' ? pass('length') : fail(`finish_reason is ${shown(reason)}`)
    },
  },
  {
    id: 'limit.stop',
    asks: 'A stop sequence ends the answer and is not part of it.',
    async look(it) {
      const long = textOf(await it.whole())
      const stop = commonest(long)
      if (stop === undefined) return notApplicable('the answer has no letter to stop at')
      const answer = await it.probe.post(it.ask({ stop: [stop] }))
      if (answer.status !== 200) return fail(`status ${answer.status}: ${shown(answer.text)}`)
      const text = textOf(answer)
      const saw = `stop ${shown(stop)}: ${text.length} of ${long.length} characters`
      return text.includes(stop) ? fail(`${saw}, and it is in there`) : pass(saw)
    },
  },
  {
    id: 'limit.n',
    asks: 'With n: 2, two choices come, numbered 0 and 1.',
    async look(it) {
      const answer = await it.probe.post(it.ask({ n: 2, max_tokens: FEW_TOKENS }))
      const refused = refusedFeature(it, 'multiple_choices', answer)
      if (refused) return refused
      if (answer.status !== 200) return fail(`status ${answer.status}: ${shown(answer.text)}`)
      const indexes = listOf(dig(answer.json, 'choices')).map((each) => Number(dig(each, 'index')))
      return shown(indexes.toSorted((a, b) => a - b)) === '[0,1]'
        ? pass('two choices')
        : fail(`choices ${shown(indexes)}`)
    },
  },
  {
    id: 'context.length',
    asks: 'A question that fills nine tenths of the stated context is answered.',
    async look(it) {
      if (it.contextTokens === undefined) return notApplicable('no context length was stated')
      const messages = await filler(it, it.contextTokens * MOST_OF_CONTEXT)
      const { status, text } = await it.probe.post(it.ask({ messages, max_tokens: 1 }))
      return status === 200 ? pass(`${it.contextTokens} tokens`) : fail(`status ${status}: ${shown(text)}`)
    },
  },
]

/** The commonest letter of a text: the likeliest to come again, should the next answer differ. */
function commonest(text: string): string | undefined {
  const counts = new Map<string, number>()
  for (const letter of text.match(/\p{L}/gu) ?? []) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0]
}
