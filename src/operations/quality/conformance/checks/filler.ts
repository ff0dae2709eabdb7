import { dig, isCount } from '../model.ts'
import { NotSeen } from '../session.ts'
import type { Session } from '../session.ts'

const WORDS = 'one two three four five six seven eight nine ten '
const text = (times: number) => WORDS.repeat(Math.max(1, Math.round(times)))
const messagesOf = (content: string) => [{ role: 'user', content }]

/**
 * A question of about so many tokens. Without a tokenizer, what a repetition costs is measured from what the supplier reports of
 * two lengths.
 */
export async function filler(it: Session, tokens: number): Promise<{ role: string; content: string }[]> {
  const count = it.counter
    ? (content: string) => Promise.resolve(it.counter?.chat(messagesOf(content)) ?? 0)
    : (content: string) => reported(it, content)
  const [short, long] = [await count(text(10)), await count(text(20))]
  const perTime = (long - short) / 10
  if (perTime <= 0) throw new NotSeen('usage.prompt')
  return messagesOf(text((tokens - (short - perTime * 10)) / perTime))
}

async function reported(it: Session, content: string): Promise<number> {
  const { json } = await it.probe.post(it.ask({ messages: messagesOf(content), max_tokens: 1 }))
  const tokens = dig(json, 'usage', 'prompt_tokens')
  if (!isCount(tokens)) throw new NotSeen('usage.given')
  return tokens
}
