/** Requests of one endpoint differ so much by uncached input that their latencies must not be averaged across sizes. */
export const SIZE_CLASSES = 5

/** Up to 512, 2k, 8k, 32k tokens, and above. */
export function sizeClassOf(uncachedTokens: number): number {
  if (uncachedTokens <= 512) return 0
  if (uncachedTokens <= 2_048) return 1
  if (uncachedTokens <= 8_192) return 2
  return uncachedTokens <= 32_768 ? 3 : 4
}
