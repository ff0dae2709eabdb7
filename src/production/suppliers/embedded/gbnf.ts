/** GBNF for a comma-separated list of `item`, from `least` to `most` times; null is no bound. */
export function listOf(item: string, least: number, most: number | null): string {
  const rest = `("," ${item}){${Math.max(0, least - 1)},${most === null ? '' : most - 1}}`
  return least > 0 ? `${item} ${rest}` : `(${item} ${rest})?`
}

/** A GBNF terminal. Everything but plain ASCII is escaped by code point, so no character can end the quotes. */
export function quoted(text: string): string {
  let body = ''
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (/[A-Za-z0-9 _:,.{}[\]/-]/.test(character)) body += character
    else if (code < 0x100) body += `\\x${code.toString(16).padStart(2, '0')}`
    else if (code < 0x10000) body += `\\u${code.toString(16).padStart(4, '0')}`
    else body += `\\U${code.toString(16).padStart(8, '0')}`
  }
  return `"${body}"`
}
