export type { Hold, Holds, RequestOpening } from './types.ts'
