import type { Recount } from '#contract'
import { answerText, countChatPrompt, observedText } from '#metering'
import type { ChatMessage } from '#metering'
import { messagesOf } from '#protocols/openai-chat'
import type { Flight } from './flight.ts'

/** Counts a request's prompt and its answer so far with the service's own tokenizer. */
export function recountOf(flight: Flight): Recount {
  const { tokenizer } = flight.service
  const input = countChatPrompt(tokenizer, messagesOf(flight.request.body) as readonly ChatMessage[])
  const whole = flight.answer[0]
  const text = flight.observer ? observedText(flight.observer.seen) : whole ? answerText(whole) : ''
  return { input, output: tokenizer.count(text), method: tokenizer.method }
}
