/** From `fromMs` (inclusive) to `toMs` (exclusive). */
export function isInForce(span: { readonly fromMs: number; readonly toMs: number }, nowMs: number): boolean {
  return nowMs >= span.fromMs && nowMs < span.toMs
}
