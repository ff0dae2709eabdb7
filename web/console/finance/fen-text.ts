import type { DocumentView } from '#contract'
import { formatYuan, parseYuan } from '#kernel'

/** Whether a text is an amount above zero in yuan and fen. */
export function isFen(text: string): boolean {
  return /^\d{1,13}(?:\.\d{1,2})?$/.test(text.trim()) && /[1-9]/.test(text)
}

/** What is still to be paid of a document, in yuan; empty where nothing is. */
export function openAmount({ due, covered }: Pick<DocumentView, 'due' | 'covered'>): string {
  const open = parseYuan(due) - parseYuan(covered)
  return open > 0n ? formatYuan(open) : ''
}
