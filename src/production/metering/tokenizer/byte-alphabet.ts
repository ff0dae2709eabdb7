/**
 * Byte-level BPE spells every byte as one visible character, so that merges can be written as text: printable Latin-1 bytes
 * stand for themselves, the other 68 are moved to U+0100 and on, in order.
 */
export const BYTE_LETTERS: readonly string[] = spellBytes()

function spellBytes(): string[] {
  const letters: string[] = []
  let moved = 0
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
    letters.push(String.fromCharCode(isPrintable ? byte : 256 + moved++))
  }
  return letters
}
