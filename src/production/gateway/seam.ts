import { eventData } from '#metering'

/** The most of a first event that is kept for every stream that may be gone on with. */
const MOST_BYTES = 1_024

/** The first event of what reaches a client, as it came; undefined where it is too long to be kept. */
export function firstEventOf(bytes: Buffer): string | undefined {
  const start = bytes.indexOf('data:')
  const end = bytes.indexOf('\n\n', start)
  return start < 0 || end < 0 || end - start > MOST_BYTES ? undefined : bytes.toString('latin1', start, end)
}

/** What the events of one answer have in common beside their choices: id, model, time. */
export type Envelope = Readonly<Record<string, unknown>>

/** The envelope of a first event; undefined where it cannot be read, and nothing can be made to look like it. */
export function envelopeOf(firstEvent: string): Envelope | undefined {
  const data = eventData(firstEvent)
  if (data === undefined) return undefined
  try {
    const event = JSON.parse(Buffer.from(data, 'latin1').toString('utf8')) as object
    return Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'choices' && name !== 'usage'))
  } catch {
    // Events are scanned and not always parsed on their way: what is wrong beside their text shows here first.
    return undefined
  }
}

/** An event in this envelope, with this content: the same answer goes on, whoever says it. */
export function chunkIn(envelope: Envelope, content: string, finishReason: string | null): string {
  const delta = content === '' ? {} : { content }
  return `data: ${JSON.stringify({ ...envelope, choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`
}

/** The event that tells the usage of the whole answer, whoever gave which part of it. */
export function usageChunkIn(envelope: Envelope, { input, output }: { input: number; output: number }): string {
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
  return `data: ${JSON.stringify({ ...envelope, choices: [], usage })}\n\n`
}
