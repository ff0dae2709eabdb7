import type { Recount } from '#contract'
import { answerText, countChatPrompt, observedText } from '#metering'
import type { ChatMessage, Tokenizer } from '#metering'
import { messagesOf } from '#protocols/openai-chat'
import type { Flight } from './flight.ts'

const FALLBACK_BYTES_PER_TOKEN = 4

/** Counts a request's prompt and its answer so far with the service's own tokenizer. Never throws: a request must end whatever a text holds. */
export function recountOf(flight: Flight): Recount {
  const { tokenizer } = flight.service
  const text = textOf(flight)
  try {
    const input = countChatPrompt(tokenizer, messagesOf(flight.request.body) as readonly ChatMessage[])
    return { input, output: tokenizer.count(text), method: tokenizer.method }
  } catch {
    const estimate = (bytes: number) => Math.ceil(bytes / FALLBACK_BYTES_PER_TOKEN)
    return {
      input: estimate(flight.request.body.length),
      output: estimate(Buffer.byteLength(text)),
      method: `estimate:bytes/${FALLBACK_BYTES_PER_TOKEN} (${tokenizer.method} failed)`,
    }
  }
}

/** Tokens of a text, or an estimate of them where the tokenizer fails. */
export function countText(tokenizer: Tokenizer, text: string): number {
  try {
    return tokenizer.count(text)
  } catch {
    return Math.ceil(Buffer.byteLength(text) / FALLBACK_BYTES_PER_TOKEN)
  }
}

/** What the model generated, as far as it was seen. */
export function textOf(flight: Flight): string {
  if (flight.observer) return observedText(flight.observer.seen)
  const whole = flight.answer[0]
  return whole ? answerText(whole) : ''
}
