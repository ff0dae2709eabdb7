import { createTextStore } from './text-store.ts'
import type { TextStore } from './text-store.ts'
import { deltaTexts, eventData, readEvent } from './stream-event.ts'

/** What the observer learned of a stream so far. Mutable: one per request, written for every chunk. */
export interface StreamObservation {
  /** The supplier's usage object, as parsed JSON, once seen. */
  usage: unknown
  finishReason: string | null
  /** Choices that said why they ended. */
  finished: number
  done: boolean
  /** Events that were chat completion chunks; comments and the like are not counted. */
  chunks: number
  /** Events that carried generated text. */
  textEvents: number
  /** What was generated: `observedText` reads it. */
  readonly generated: TextStore
  /** A tool call or structured output has begun: such a stream cannot be continued elsewhere. */
  sawToolCall: boolean
}

/** Reads a supplier's SSE chunks and yields what may be passed on: whole events only, without `[DONE]` and unwanted usage. */
export interface StreamObserver {
  readonly seen: StreamObservation
  /**
   * Takes the next bytes; returns what to relay now (often the very same buffer), `undefined` for nothing yet. Throws
   * `StreamGarbage` when the supplier stops speaking the protocol.
   */
  push(chunk: Buffer): Buffer | undefined
  /** True when bytes of an unfinished event are left over. */
  readonly hasPartial: boolean
}

/** The supplier sent something that is not a chat completion stream. */
export class StreamGarbage extends Error {
  override readonly name = 'StreamGarbage'
}

const DONE_TAIL = 'data: [DONE]\n\n'
const CONTENT = '"delta":{"content":"'
const CLOSE_OBJECT = 0x7d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const MAX_EVENT_BYTES = 4_194_304

/**
 * Events in the shape that engines send for nearly every token are scanned for their text without being parsed; everything else
 * is parsed and understood event by event. Measured on a 200-byte event: scan about 0.4 µs, parse about 2 µs.
 */
export function observeStream({
  keepUsageChunk,
  choices,
}: {
  keepUsageChunk: boolean
  choices: number
}): StreamObserver {
  /** With several choices one event may carry several deltas, so every event is parsed. */
  const scan = choices === 1
  /** Next places of what is looked for in the chunk at hand, so that a long chunk is searched once and not once per event. */
  let contentAt = -1
  let usageAt = -1
  const seen: StreamObservation = {
    usage: undefined,
    finishReason: null,
    finished: 0,
    done: false,
    chunks: 0,
    textEvents: 0,
    generated: createTextStore(),
    sawToolCall: false,
  }
  let partial: Buffer | undefined

  return {
    seen,
    get hasPartial() {
      return partial !== undefined && partial.length > 0
    },
    push(chunk) {
      const bytes = partial ? Buffer.concat([partial, chunk]) : chunk
      partial = undefined
      const text = bytes.toString('latin1')
      if (text.includes('\r')) return relayCarefully(text)
      const end = text.lastIndexOf('\n\n')
      if (end < 0) return keep(bytes)
      if (end + 2 < text.length) keep(bytes.subarray(end + 2))
      return relayWhole(bytes, text, end + 2)
    },
  }

  function keep(rest: Buffer): undefined {
    if (rest.length > MAX_EVENT_BYTES) throw new StreamGarbage('an event never ends')
    // Copied because the chunk belongs to the connection's read buffer.
    partial = Buffer.from(rest)
    return undefined
  }

  /** All events of `text[0, end)` in order; the bytes go on as they are unless one of the events must be taken out. */
  function relayWhole(bytes: Buffer, text: string, end: number): Buffer | undefined {
    let at = 0
    contentAt = -1
    usageAt = -1
    let removed: { start: number; end: number }[] | undefined
    while (at < end) {
      const next = text.indexOf('\n\n', at) + 2
      if (!observeEvent(bytes, text, at, next)) {
        removed ??= []
        removed.push({ start: at, end: next })
      }
      at = next
    }
    if (!removed) return end === bytes.length ? bytes : bytes.subarray(0, end)
    return without(bytes, end, removed)
  }

  /** CRLF streams are legal and rare: their events are rewritten with LF. */
  function relayCarefully(text: string): Buffer | undefined {
    const heldBack = text.endsWith('\r') ? '\r' : ''
    const normal = (heldBack ? text.slice(0, -1) : text).replaceAll('\r\n', '\n').replaceAll('\r', '\n')
    const end = normal.lastIndexOf('\n\n')
    const rest = (end < 0 ? normal : normal.slice(end + 2)) + heldBack
    if (rest) keep(Buffer.from(rest, 'latin1'))
    if (end < 0) return undefined
    return relayWhole(Buffer.from(normal.slice(0, end + 2), 'latin1'), normal, end + 2)
  }

  /** Notes what one event says; false when it must not reach the client. */
  function observeEvent(bytes: Buffer, text: string, start: number, end: number): boolean {
    if (scan && contentAt < start) contentAt = find(text, CONTENT, start)
    if (scan && usageAt < start) usageAt = find(text, '"usage":{', start)
    if (
      scan &&
      contentAt < end &&
      usageAt >= end &&
      text.startsWith('data: {', start) &&
      text.startsWith('}\n\n', end - 3)
    ) {
      const from = contentAt + CONTENT.length
      const quote = plainStringEnd(text, from)
      // The delta must hold the content alone, and the choice must go on: then nothing else in the event matters to us.
      if (
        quote > 0 &&
        quote < end &&
        text.charCodeAt(quote + 1) === CLOSE_OBJECT &&
        find(text, '"finish_reason":null', quote) < end
      ) {
        seen.chunks++
        if (quote > from) {
          seen.textEvents++
          seen.generated.addBytes(bytes, from, quote)
        }
        return true
      }
    }
    return parseEvent(text, start, end)
  }

  function parseEvent(text: string, start: number, end: number): boolean {
    if (end - start === DONE_TAIL.length && text.startsWith(DONE_TAIL, start)) {
      seen.done = true
      return false
    }
    const data = eventData(text.slice(start, end))
    if (data === undefined) return true
    if (data === '[DONE]') {
      seen.done = true
      return false
    }
    const event = readEvent(data)
    if (!event) throw new StreamGarbage('an event is not a chat completion chunk')
    seen.chunks++
    if (event.usage !== undefined) seen.usage = event.usage
    for (const choice of event.choices) {
      for (const piece of deltaTexts(choice)) {
        seen.textEvents++
        seen.generated.addEscaped(JSON.stringify(piece).slice(1, -1))
      }
      if (choice.toolCalls.length > 0) seen.sawToolCall = true
      if (choice.finishReason !== null) {
        seen.finishReason = choice.finishReason
        seen.finished++
      }
    }
    return event.choices.length > 0 || event.usage === undefined || keepUsageChunk
  }
}

/** The generated text of a stream so far, decoded. */
export function observedText(seen: StreamObservation): string {
  return seen.generated.text()
}

function find(text: string, needle: string, from: number): number {
  const at = text.indexOf(needle, from)
  return at < 0 ? Number.MAX_SAFE_INTEGER : at
}

/** Where a string that needs no decoding ends; -1 if it has escapes or what JSON forbids: then the event is parsed. */
function plainStringEnd(text: string, from: number): number {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH || code < SPACE || Number.isNaN(code)) return -1
  }
}

function without(bytes: Buffer, end: number, removed: readonly { start: number; end: number }[]): Buffer | undefined {
  const parts: Buffer[] = []
  let at = 0
  for (const { start, end: stop } of removed) {
    if (start > at) parts.push(bytes.subarray(at, start))
    at = stop
  }
  if (at < end) parts.push(bytes.subarray(at, end))
  if (parts.length === 0) return undefined
  return parts.length === 1 ? parts[0] : Buffer.concat(parts)
}
