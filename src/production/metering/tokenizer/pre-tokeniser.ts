/**
 * Unicode's White_Space, written out: JavaScript's `\s` also takes U+FEFF and leaves out U+0085, which engines do not.
 */
const SPACE = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

/** How text is cut into words before pairs are merged, by the name that a GGUF file gives it. Merges never cross a cut. */
const PATTERNS: Readonly<Record<string, string>> = {
  'gpt-2': `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
  qwen2:
    `'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}` +
    `| ?[^${SPACE}\\p{L}\\p{N}]+[\\r\\n]*|[${SPACE}]*[\\r\\n]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
}

/** The cutter for a pre-tokeniser's name, or undefined where we do not know it. Every character of the text is in one word. */
export function findPreTokeniser(name: string): RegExp | undefined {
  const pattern = Object.hasOwn(PATTERNS, name) ? PATTERNS[name] : undefined
  return pattern === undefined ? undefined : new RegExp(pattern, 'gu')
}
