import { LosslessNumber, compareLosslessNumber, isLosslessNumber, parse, stringify } from 'lossless-json'

/** A number exactly as it stands in a JSON text: `0.000000000001` and `16451000000.00` stay what they are, never a float. */
export type Decimal = LosslessNumber
export type ExactJson = null | boolean | string | Decimal | readonly ExactJson[] | ExactObject
export interface ExactObject {
  readonly [name: string]: ExactJson
}

/** Deeper than any document of ours; a recursive reader of twice this depth is far from the end of its stack. */
const DEEPEST = 32
/** More digits than any amount has, and few enough that every database and every reader takes them. */
const LONGEST_NUMBER = 60
const LARGEST_EXPONENT = 30

/** A number from its decimal text. Throws `RangeError` if it is none. */
export function decimal(text: string): Decimal {
  if (!isSensible(text)) throw new RangeError(`not a decimal number: ${text.slice(0, LONGEST_NUMBER)}`)
  return new LosslessNumber(text)
}

export function isDecimal(value: unknown): value is Decimal {
  return isLosslessNumber(value)
}

/** Below, equal or above zero, as `a` is to `b`; 1.0 and 1 are equal. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  return compareLosslessNumber(a, b)
}

export function isObject(value: ExactJson | undefined): value is ExactObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isDecimal(value)
}

/**
 * Reads a JSON text without losing a digit. Throws `SyntaxError` for what is not JSON, and for what could not be kept: a member given
 * twice, numbers of absurd length, nesting without end, NUL and halves of characters.
 */
export function parseExact(text: string): ExactJson {
  if (depthOf(text) > DEEPEST) throw new SyntaxError(`nested more than ${DEEPEST} deep`)
  const value = parse(text, undefined, (token) => {
    if (!isSensible(token)) throw new SyntaxError(`the number ${token.slice(0, 20)}… is too long`)
    return new LosslessNumber(token)
  }) as ExactJson
  refuseBrokenText(value)
  return value
}

export function writeExact(value: ExactJson): string {
  return stringify(value) ?? 'null'
}

function isSensible(token: string): boolean {
  const match = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE]([+-]?\d+))?$/.exec(token)
  if (!match || token.length > LONGEST_NUMBER) return false
  return match[1] === undefined || Math.abs(Number(match[1])) <= LARGEST_EXPONENT
}

function depthOf(text: string): number {
  let deepest = 0
  let depth = 0
  let isInString = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (isInString) {
      if (char === '\\') at++
      else if (char === '"') isInString = false
    } else if (char === '"') isInString = true
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth)
    else if (char === '}' || char === ']') depth--
  }
  return deepest
}

/** A database refuses these in any text, and would do so as if the failure were ours. */
function refuseBrokenText(value: ExactJson): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) throw new SyntaxError('a text holds NUL or half a character')
  } else if (Array.isArray(value)) value.forEach(refuseBrokenText)
  else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      refuseBrokenText(name)
      refuseBrokenText(member)
    }
  }
}
