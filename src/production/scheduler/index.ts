export { createBreakers } from './breaker.ts'
export type { Breakers } from './breaker.ts'
export { MAX_ATTEMPTS, afterFailure, healthOf, outcomeOfStatus, plan } from './model.ts'
export type { Deployable, Plan } from './model.ts'
