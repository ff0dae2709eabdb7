import { dig, fail, isCount, notApplicable, pass, shown, verdictOf, withinTolerance } from '../model.ts'
import { deltasOf, textOf } from '../probe.ts'
import { NotSeen, QUESTION } from '../session.ts'
import type { Session } from '../session.ts'
import type { Check } from './check.ts'

interface Told {
  readonly where: string
  readonly usage: unknown
  readonly prompt: number
  readonly completion: number
  readonly text: string
}

/** The usage of the answer in one piece. */
async function wholeUsage(it: Session): Promise<Told> {
  const answer = await it.whole()
  const usage = dig(answer.json, 'usage')
  const [prompt, completion] = [dig(usage, 'prompt_tokens'), dig(usage, 'completion_tokens')]
  if (!isCount(prompt) || !isCount(completion)) throw new NotSeen('usage.given')
  return { where: 'whole answer', usage, prompt, completion, text: textOf(answer) }
}

/** The same of the stream; undefined where none came. */
async function streamUsage(it: Session): Promise<Told | undefined> {
  const streamed = await it.streamed().catch(() => undefined)
  if (!streamed) return undefined
  const usage = streamed.events
    .map(({ json }) => dig(json, 'usage'))
    .findLast((each) => each !== undefined && each !== null)
  const [prompt, completion] = [dig(usage, 'prompt_tokens'), dig(usage, 'completion_tokens')]
  if (!isCount(prompt) || !isCount(completion)) return undefined
  return { where: 'stream', usage, prompt, completion, text: deltasOf(streamed).join('') }
}

async function allUsage(it: Session): Promise<Told[]> {
  const [whole, streamed] = [await wholeUsage(it), await streamUsage(it)]
  return streamed ? [whole, streamed] : [whole]
}

const reasoningOf = (usage: unknown): unknown => dig(usage, 'completion_tokens_details', 'reasoning_tokens')

/** What a supplier says it used, against what can be counted. */
export const USAGE_CHECKS: readonly Check[] = [
  {
    id: 'usage.given',
    asks: 'An answer says prompt_tokens, completion_tokens and total_tokens as whole numbers; null and a missing member are no counts.',
    async look(it) {
      const usage = dig((await it.whole()).json, 'usage')
      const members = ['prompt_tokens', 'completion_tokens', 'total_tokens']
      const wrong = members
        .filter((name) => !isCount(dig(usage, name)))
        .map((name) => `${name} is ${shown(dig(usage, name))}`)
      return verdictOf(wrong, shown(usage))
    },
  },
  {
    id: 'usage.zero',
    asks: 'Zero means nothing: beside a question and a text no count is zero.',
    async look(it) {
      const wrong = (await allUsage(it)).flatMap(({ where, prompt, completion, text }) => [
        ...(prompt === 0 ? [`${where}: prompt_tokens 0`] : []),
        ...(completion === 0 && text !== '' ? [`${where}: completion_tokens 0 beside ${text.length} characters`] : []),
      ])
      return verdictOf(wrong, 'no zero beside text')
    },
  },
  {
    id: 'usage.sums',
    asks: 'total_tokens is the sum of prompt_tokens and completion_tokens.',
    async look(it) {
      const wrong = (await allUsage(it))
        .filter(
          ({ usage, prompt, completion }) =>
            isCount(dig(usage, 'total_tokens')) && dig(usage, 'total_tokens') !== prompt + completion,
        )
        .map(({ where, usage }) => `${where}: ${shown(usage)}`)
      return verdictOf(wrong, 'it is')
    },
  },
  {
    id: 'usage.prompt',
    asks: 'prompt_tokens agree with our own count of the question.',
    async look(it) {
      const { counter, tolerance } = it
      const told = (await allUsage(it)).filter(({ prompt }) => prompt > 0)
      if (!counter) return notApplicable('no tokenizer was given to count with')
      const counted = counter.chat(QUESTION)
      const saw = told.map(({ where, prompt }) => `${where}: ${prompt} told, ${counted} counted`).join('; ')
      const isFair = told.every(({ prompt }) =>
        withinTolerance(prompt, counted, tolerance.inputAbs, tolerance.inputPpm),
      )
      return isFair ? pass(saw) : fail(saw)
    },
  },
  {
    id: 'usage.output',
    asks: 'completion_tokens without hidden reasoning agree with our own count of the text.',
    async look(it) {
      const { counter, tolerance } = it
      const told = (await allUsage(it)).filter(({ completion }) => completion > 0)
      if (!counter) return notApplicable('no tokenizer was given to count with')
      const compared = told.map(({ where, usage, completion, text }) => {
        const reasoning = reasoningOf(usage)
        const visible = completion - (isCount(reasoning) && reasoning <= completion ? reasoning : 0)
        return { where, visible, counted: counter.text(text) }
      })
      const saw = compared
        .map(({ where, visible, counted }) => `${where}: ${visible} told, ${counted} counted`)
        .join('; ')
      const isFair = compared.every(({ visible, counted }) =>
        withinTolerance(visible, counted, tolerance.outputAbs, tolerance.outputPpm),
      )
      return isFair ? pass(saw) : fail(saw)
    },
  },
  {
    id: 'usage.cached',
    asks: 'cached_tokens are a part of prompt_tokens.',
    async look(it) {
      const { usage, prompt } = await wholeUsage(it)
      const cached = dig(usage, 'prompt_tokens_details', 'cached_tokens')
      if (cached === undefined || cached === null) return notApplicable('none are told')
      return isCount(cached) && cached <= prompt
        ? pass(`${cached} of ${prompt}`)
        : fail(`${shown(cached)} of ${prompt}`)
    },
  },
  {
    id: 'usage.reasoning',
    asks: 'reasoning_tokens are a part of completion_tokens.',
    async look(it) {
      const { usage, completion } = await wholeUsage(it)
      const reasoning = reasoningOf(usage)
      if (reasoning === undefined || reasoning === null) return notApplicable('none are told')
      const saw = `${shown(reasoning)} of ${completion}`
      return isCount(reasoning) && reasoning <= completion ? pass(saw) : fail(saw)
    },
  },
  {
    id: 'usage.same',
    asks: 'The same question has the same number of prompt tokens, in one piece and as a stream.',
    async look(it) {
      const [whole, streamed] = [await wholeUsage(it), await streamUsage(it)]
      if (!streamed) return notApplicable('the stream told no usage')
      const saw = `${whole.prompt} in one piece, ${streamed.prompt} as a stream`
      return whole.prompt === streamed.prompt ? pass(saw) : fail(saw)
    },
  },
]
