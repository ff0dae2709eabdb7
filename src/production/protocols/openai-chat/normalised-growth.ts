/**
 * How many bytes a text can gain under Unicode normalisation form C, which some vocabularies apply before they cut a text
 * (Qwen, Command, GPT-NeoX). Few letters gain: those excluded from composition (U+0958 becomes two letters, U+1D160 three), and
 * the marks below, which take their base away from a mark that it was composed with. Normalising the text itself would tell
 * exactly, but takes time in the square of its length when its marks are out of order, and it is the client who orders them.
 */
export function normalisedGrowth(text: string): number {
  table ??= growthTable()
  let growth = 0
  for (let at = 0; at < text.length; at++) growth += table[text.charCodeAt(at)] ?? 0
  return growth
}

/** Marks below or attached to their base: ẹ + ◌́ keeps three bytes where é + ◌̣ had two. No mark adds more than 3 (exhaustive test). */
const DISPLACING_MARKS = [0x31b, 0x323, 0x324, 0x325, 0x326, 0x327, 0x328, 0x32d, 0x32e, 0x330, 0x331, 0x338]
const DISPLACED = 3
/** Blocks in which letters gain by themselves; everything else was looked at by the exhaustive test. */
const GAINING_BLOCKS = [
  [0x0340, 0x0345],
  [0x0958, 0x0fb9],
  [0x2adc, 0x2adc],
  [0xf900, 0xfb4f],
] as const
/** The high surrogate of the musical symbols U+1D100 to U+1D1FF, of which some gain 8 bytes. */
const MUSICAL_SYMBOLS = 0xd834
const MUSICAL_GAIN = 8

/** By UTF-16 unit. Built by the first text that needs it. */
let table: Uint8Array | undefined

function growthTable(): Uint8Array {
  const growth = new Uint8Array(0x10000)
  for (const [first, last] of GAINING_BLOCKS) {
    for (let unit = first; unit <= last; unit++) {
      const letter = String.fromCharCode(unit)
      growth[unit] = Math.max(0, Buffer.byteLength(letter.normalize('NFC')) - Buffer.byteLength(letter))
    }
  }
  for (const mark of DISPLACING_MARKS) growth[mark] = DISPLACED
  growth[MUSICAL_SYMBOLS] = MUSICAL_GAIN
  return growth
}
