export { createOrdering } from './ordering.ts'
export type { Ordering } from './ordering.ts'
export type { Actor, OrderingDeps } from './context.ts'
export type { Debt } from './arrears.ts'
