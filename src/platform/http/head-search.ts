import { CR, LF, TAB } from './characters.ts'

const HEAD_END = Buffer.from('\r\n\r\n')

/** Offset just after the empty line that ends a head, or -1. */
export function findHeadEnd(buffer: Buffer, from: number): number {
  const found = buffer.indexOf(HEAD_END, from)
  return found < 0 ? -1 : found + 4
}

/**
 * Whether an unfinished head already holds something no head may hold. Without this a head with bare line feeds would
 * never be seen to end, and be refused only when the time is up.
 */
export function hasStrayControl(buffer: Buffer, from: number): boolean {
  for (let at = from; at < buffer.length; at++) {
    const code = buffer[at]!
    if (code >= 32 ? code === 127 : isStray(buffer, at, code)) return true
  }
  return false
}

function isStray(buffer: Buffer, at: number, code: number): boolean {
  if (code === LF) return at === 0 || buffer[at - 1] !== CR
  if (code === CR) return at + 1 < buffer.length && buffer[at + 1] !== LF
  return code !== TAB
}
