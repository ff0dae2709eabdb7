export { locate } from './spans.ts'
export type { Span, SpanResult } from './spans.ts'
export { splice } from './splice.ts'
export type { Edit } from './splice.ts'
