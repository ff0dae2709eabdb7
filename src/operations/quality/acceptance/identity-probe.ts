import { dig } from '../conformance/model.ts'
import type { Probe } from '../conformance/probe.ts'
import type { FirstWords } from './model/identity.ts'

/** Questions whose first word is open: where two answers are nearly as likely, a small change of a model turns them round. */
const QUESTIONS: readonly string[] = [
  'Name one colour. One word.',
  'Name one animal. One word.',
  'Name one city. One word.',
  'Heads or tails? One word.',
  'Say a number between 1 and 100.',
  'Continue: Once upon a',
  'Continue: The opposite of fast is',
  'Continue: 1, 1, 2, 3, 5,',
  'Translate into French: bread.',
  'Write the first word of a poem about winter.',
  '说出一种水果。',
  '用一个词形容大海。',
  'Which is larger, 9.11 or 9.9?',
  'Finish the word: comput',
  'Name one planet. One word.',
  'Yes or no: is a tomato a fruit?',
]
const TIMES = 4
const TOKENS = 3

/** Asks each question a few times; what cannot be asked is left out. */
export async function askFirstWords(probe: Probe, onAsked: (done: number, total: number) => void): Promise<FirstWords> {
  const { model, maxTokensField } = probe.target
  const words: Record<string, string[]> = {}
  let done = 0
  for (const question of QUESTIONS) {
    for (let time = 0; time < TIMES; time++) {
      const { status, json } = await probe.post({
        ...{ model, temperature: 0, [maxTokensField]: TOKENS },
        messages: [{ role: 'user', content: question }],
      })
      const text = dig(json, 'choices', 0, 'message', 'content')
      if (status === 200 && typeof text === 'string') (words[question] ??= []).push(text)
      onAsked(++done, QUESTIONS.length * TIMES)
    }
  }
  return words
}
