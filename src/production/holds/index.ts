export { createChargingClient } from './charging-client.ts'
export type { ChargingClientOptions } from './charging-client.ts'
export { walletProblem } from './problems.ts'
export { DEFAULT_LIMITS } from './options.ts'
export type { HoldsOptions } from './options.ts'
export { createHolds } from './service.ts'
export type {
  ChargingClient,
  Checkpoint,
  Hold,
  Holds,
  HoldsLimits,
  HoldsStats,
  Part,
  Refusal,
  RequestOpening,
  Timer,
} from './types.ts'
