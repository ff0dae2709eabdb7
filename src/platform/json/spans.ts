/** Where one top-level member's value lies in the text: bytes `[start, end)`. */
export interface Span {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const COLON = 0x3a

/** What a walk over an object's members found: spans by name, or why the text cannot be trusted. */
export type SpanResult =
  | {
      readonly ok: true
      readonly spans: ReadonlyMap<string, Span>
      readonly bodyStart: number
      readonly isEmpty: boolean
    }
  | { readonly ok: false; readonly reason: 'not_an_object' | 'malformed' | 'duplicate'; readonly name?: string }

/**
 * Finds the values of the wanted top-level members of a JSON object without building it, so that a body can be forwarded byte
 * for byte with single values replaced. A wanted name that appears twice is refused: two readers may disagree on which one
 * counts, and the supplier would then serve what was not priced. The text is walked, not fully validated.
 */
export function locate(json: Buffer, wanted: ReadonlySet<string>): SpanResult {
  const names = namesOf(wanted)
  let at = skipSpace(json, 0)
  if (json[at] !== OPEN_OBJECT) return { ok: false, reason: 'not_an_object' }
  const bodyStart = at + 1
  const spans = new Map<string, Span>()
  at = skipSpace(json, bodyStart)
  if (json[at] === CLOSE_OBJECT) return finish(json, at, spans, bodyStart, true)
  for (;;) {
    if (json[at] !== QUOTE) return { ok: false, reason: 'malformed' }
    const nameEnd = stringEnd(json, at)
    if (nameEnd < 0) return { ok: false, reason: 'malformed' }
    const name = isPlainName(json, at, nameEnd) ? knownName(json, at, nameEnd, names) : memberName(json, at, nameEnd)
    at = skipSpace(json, nameEnd)
    if (json[at] !== COLON) return { ok: false, reason: 'malformed' }
    const start = skipSpace(json, at + 1)
    const end = valueEnd(json, start)
    if (end <= start) return { ok: false, reason: 'malformed' }
    if (name === undefined) {
      // Nobody asked for it.
    } else if (wanted.has(name)) {
      if (spans.has(name)) return { ok: false, reason: 'duplicate', name }
      spans.set(name, { start, end })
    } else if (UNUSUAL.test(name) && wanted.has(folded(name)))
      return { ok: false, reason: 'duplicate', name: folded(name) }
    at = skipSpace(json, end)
    if (json[at] === CLOSE_OBJECT) return finish(json, at, spans, bodyStart, false)
    if (json[at] !== COMMA) return { ok: false, reason: 'malformed' }
    at = skipSpace(json, at + 1)
  }
}

const UNUSUAL = /[^a-z0-9_]/

/** As readers that ignore case fold names (Go's encoding/json does, with the long s and the Kelvin sign too). */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase()
}

/** Nothing but white space may follow the object: a second document would be read by some parsers and not by others. */
function finish(
  json: Buffer,
  close: number,
  spans: ReadonlyMap<string, Span>,
  bodyStart: number,
  isEmpty: boolean,
): SpanResult {
  if (skipSpace(json, close + 1) !== json.length) return { ok: false, reason: 'malformed' }
  return { ok: true, spans, bodyStart, isEmpty }
}

function skipSpace(json: Buffer, from: number): number {
  let at = from
  for (;;) {
    const byte = json[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at++
  }
}

/** Strings up to this long are walked byte by byte, which for them is cheaper than a call out of JavaScript. */
const SHORT_STRING = 24

/** Index just past the string's closing quote, or -1. `indexOf` jumps over long strings at memory speed. */
function stringEnd(json: Buffer, open: number): number {
  let at = open + 1
  const near = Math.min(json.length, at + SHORT_STRING)
  for (; at < near; at++) {
    const byte = json[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) break
  }
  for (;;) {
    const quote = json.indexOf(QUOTE, at)
    if (quote < 0) return -1
    let slashes = 0
    while (json[quote - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

/** Only lower-case letters, digits and `_`: the name stands as it reads, and nobody folds it into another. */
function isPlainName(json: Buffer, open: number, end: number): boolean {
  for (let at = open + 1; at < end - 1; at++) {
    const byte = json[at] ?? 0
    if (!((byte >= 0x61 && byte <= 0x7a) || byte === 0x5f || (byte >= 0x30 && byte <= 0x39))) return false
  }
  return true
}

/** The wanted names by their length. Callers keep one set for all texts, which is looked through once. */
type Names = readonly (readonly string[] | undefined)[]

const known = new WeakMap<ReadonlySet<string>, Names>()

function namesOf(wanted: ReadonlySet<string>): Names {
  let names = known.get(wanted)
  if (names === undefined) {
    const most = Math.max(0, ...[...wanted].map((name) => name.length))
    names = Array.from({ length: most + 1 }, (_, length) => [...wanted].filter((name) => name.length === length))
    known.set(wanted, names)
  }
  return names
}

/** The wanted name that a plain one is, without making a string of it. */
function knownName(json: Buffer, open: number, end: number, names: Names): string | undefined {
  const length = end - open - 2
  const candidates = length < names.length ? names[length] : undefined
  if (candidates === undefined) return undefined
  for (let i = 0; i < candidates.length; i++) {
    const name = candidates[i]!
    let same = 0
    while (same < length && json[open + 1 + same] === name.charCodeAt(same)) same++
    if (same === length) return name
  }
  return undefined
}

/** A name written with escapes is unescaped, so that `"mod\u0065l"` cannot pass for another member. */
function memberName(json: Buffer, open: number, end: number): string {
  const raw = json.toString('utf8', open + 1, end - 1)
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(json.toString('utf8', open, end)))
  } catch {
    return raw
  }
}

function valueEnd(json: Buffer, start: number): number {
  const first = json[start]
  if (first === QUOTE) return stringEnd(json, start)
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return containerEnd(json, start)
  let at = start
  while (at < json.length && !isDelimiter(json[at])) at++
  return at
}

function isDelimiter(byte: number | undefined): boolean {
  return (
    byte === COMMA ||
    byte === CLOSE_OBJECT ||
    byte === CLOSE_ARRAY ||
    byte === 0x20 ||
    byte === 0x0a ||
    byte === 0x0d ||
    byte === 0x09
  )
}

function containerEnd(json: Buffer, start: number): number {
  let depth = 0
  let at = start
  while (at < json.length) {
    const byte = json[at]
    if (byte === QUOTE) {
      at = stringEnd(json, at)
      if (at < 0) return -1
      continue
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth--
      if (depth === 0) return at + 1
    }
    at++
  }
  return -1
}
