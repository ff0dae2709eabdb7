// Character classes of RFC 9110 as lookup tables: one array read per character is what makes a strict parser cheap.

const TOKEN_SYMBOLS = "!#$%&'*+-.^_`|~"

function table(accepts: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (accepts(code) ? 1 : 0))
}

function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

/** Characters of methods and header names. */
export const IS_TOKEN = table((code) => isAlphanumeric(code) || TOKEN_SYMBOLS.includes(String.fromCharCode(code)))

/** Characters inside a header value: visible ASCII, space, tab and the bytes above 0x7f, never a control character. */
export const IS_VALUE = table((code) => code === 9 || (code >= 32 && code !== 127))

// `#`, `\`, `"`, `<` and `>` never reach the wire from a correct client, and proxies disagree about what they mean.
/** Characters of a request target. */
export const IS_TARGET = table((code) => code > 32 && code < 127 && !'#\\"<>'.includes(String.fromCharCode(code)))

export const CR = 13
export const LF = 10
export const SPACE = 32
export const TAB = 9
export const COLON = 58
