import type { Span } from './spans.ts'

/** One change to a text: the bytes of `span` give way to `text`; an empty span inserts. */
export interface Edit {
  readonly span: Span
  readonly text: string
}

/** The text with its edits applied, as parts to be written one after another: what is not edited is never copied. */
export function splice(json: Buffer, edits: readonly Edit[]): Buffer[] {
  if (edits.length === 0) return [json]
  const ordered = edits.length === 1 ? edits : edits.toSorted((a, b) => a.span.start - b.span.start)
  const parts: Buffer[] = []
  let at = 0
  for (const { span, text } of ordered) {
    if (span.start > at) parts.push(json.subarray(at, span.start))
    parts.push(Buffer.from(text))
    at = span.end
  }
  if (at < json.length) parts.push(json.subarray(at))
  return parts
}
