const SYMBOLS = '0123456789ABCDEFGHJKLMNPQRTUWXY'

/**
 * Whether a text is a unified social credit code: 18 symbols, the last one the check symbol of GB 32100-2015 (weights 3ⁱ mod 31 over
 * the first 17).
 */
export function isUscc(text: string): boolean {
  if (!/^[0-9A-HJ-NPQRTUWXY]{18}$/.test(text)) return false
  let sum = 0
  let weight = 1
  for (const symbol of text.slice(0, 17)) {
    sum += SYMBOLS.indexOf(symbol) * weight
    weight = (weight * 3) % 31
  }
  return SYMBOLS.charAt((31 - (sum % 31)) % 31) === text.charAt(17)
}
