export interface OpenDocument {
  readonly id: string
  readonly openFen: bigint
}

/** Pays documents in the order given, each as far as the money goes. What is left over is nobody's yet. */
export function allocate(
  fen: bigint,
  documents: readonly OpenDocument[],
): { readonly parts: readonly { readonly document: string; readonly fen: bigint }[]; readonly restFen: bigint } {
  const parts: { document: string; fen: bigint }[] = []
  let rest = fen
  for (const { id, openFen } of documents) {
    const part = rest < openFen ? rest : openFen
    if (part <= 0n) continue
    parts.push({ document: id, fen: part })
    rest -= part
  }
  return { parts, restFen: rest }
}
