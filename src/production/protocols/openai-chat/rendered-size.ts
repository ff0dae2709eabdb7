const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const COLON = 0x3a

/** Spaces per level of the widest rendering in use: `tojson(indent=4)` in the Llama 3 family's templates. */
const INDENT = 4
/** `\u0000`: what one UTF-16 unit can become where JSON is written with escapes. */
const ESCAPE = 6
/** `1e20` written out in digits, with a fraction: what an exponent can turn into. */
const WRITTEN_OUT = 22
/** Tags around a member's value, beyond its name: `<parameter=…>\n…\n</parameter>\n` (Qwen3-Coder). */
const TAGS = 24
/** Fixed words around an object where a tool is told twice, as signature and as JSON (Hermes). */
const WORDS = 24

/** How deep `json` is nested at its start, and how often a rendering tells its texts. */
export interface Rendering {
  readonly depth: number
  readonly times: 1 | 2
}

/**
 * The most bytes that a piece of JSON takes in a prompt, where a chat template does not copy but renders it anew. It is the
 * largest of three renderings: as JSON with indentation, every text escaped and every number written out; with every member
 * in tags that name it twice; and told `times` times. Members of the outermost object (depth 1) count as they are: templates
 * render what is inside them. One pass over bytes: it allocates nothing, has no recursion to overflow, and sees a member that
 * is given twice twice.
 */
export function renderedSize(json: Buffer, from: number, to: number, { depth: start, times }: Rendering): number {
  let depth = start
  let asJson = 0
  let plain = 0
  let inner = 0
  let spread = 0
  let names = 0
  let members = 0
  let objects = 0
  let textSize = 0
  for (let at = from; at < to; at++) {
    const byte = json[at] ?? 0
    if (byte === QUOTE) {
      const begin = at
      for (at++; at < to && json[at] !== QUOTE; at++) {
        const letter = json[at] ?? 0
        if (letter === BACKSLASH) {
          at++
          asJson += isShortened(json[at] ?? 0) ? ESCAPE : 2
        } else asJson += depth < 2 ? 1 : escapedSize(letter)
      }
      asJson += 2
      textSize = at + 1 - begin
      plain += textSize
      if (depth >= 2) inner += textSize
      continue
    }
    if (byte <= 0x20) continue
    plain++
    asJson++
    if (depth >= 2) inner++
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth++
      if (byte === OPEN_OBJECT && depth > 1) objects++
      asJson += newLine(depth)
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth--
      asJson += newLine(depth)
    } else if (depth < 2) continue
    else if (byte === COMMA) {
      asJson += newLine(depth)
      spread++
    } else if (byte === COLON) {
      asJson++
      spread++
      names += textSize
      members++
    } else if ((byte === 0x65 || byte === 0x45) && isDigit(json[at - 1])) {
      asJson += WRITTEN_OUT
      spread += WRITTEN_OUT
    }
  }
  const asTags = plain + spread + names + TAGS * members
  const retold = plain + spread + (times - 1) * (inner + spread) + names + WORDS * objects
  return Math.max(asJson, asTags, retold)
}

function newLine(depth: number): number {
  return 1 + INDENT * Math.max(0, depth - 1)
}

/** Bytes of a text's letter where everything that some JSON writer escapes is escaped: not ASCII, `<`, `>`, `&`, `'`, DEL. */
function escapedSize(byte: number): number {
  if (byte < 0x7f) return byte === 0x3c || byte === 0x3e || byte === 0x26 || byte === 0x27 ? ESCAPE : 1
  if (byte < 0x80) return ESCAPE
  // Letters are counted by their first byte; four bytes are two UTF-16 units.
  if (byte < 0xc0) return 0
  return byte < 0xf0 ? ESCAPE : 2 * ESCAPE
}

/** `\b` and `\f`, which some writers know only as `\u0008` and `\u000c`. */
function isShortened(letter: number): boolean {
  return letter === 0x62 || letter === 0x66
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}
