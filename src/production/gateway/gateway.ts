import type { UsageRecord } from '#contract'
import type { RequestId } from '#kernel'
import type { Admission, FlowControl, Limits, Waits } from '#admission'
import type { Holds } from '#holds'
import type { Log } from '#platform/log'
import type { Scheduler } from '#scheduler'
import type { BodyBudget } from './body-budget.ts'
import type { Directory, Line } from './directory.ts'
import type { Flight } from './flight.ts'
import type { FlightBoard } from './flight-board.ts'
import type { HedgeBudget } from './hedge-budget.ts'
import type { AllowedOrigins } from './replies.ts'
import type { RetryBudget } from './retry-budget.ts'

export interface GatewaySettings {
  readonly maxBodyBytes: number
  readonly maxAnswerBytes: number
  /** How long a supplier is listened to after the client has left, to learn what it generated. */
  readonly streamLingerMs: number
  readonly answerLingerMs: number
  readonly allowedOrigins: AllowedOrigins
}

/** Everything that serving a request needs, by name. One per worker thread. */
export interface Gateway {
  readonly gatewayId: string
  readonly settings: GatewaySettings
  readonly directory: () => Directory
  readonly admission: Admission
  readonly limits: Limits
  /** Who waits here for a supplier, and what is known of the other workers' queues. */
  readonly flow: FlowControl<Flight>
  readonly waits: Waits
  readonly bodyBudget: BodyBudget
  readonly holds: Holds
  readonly scheduler: Scheduler<Line>
  readonly retries: RetryBudget
  readonly hedges: HedgeBudget
  readonly nowMs: () => number
  readonly newRequestId: () => RequestId
  readonly log: Log
  /** Requests under way, for the deadline sweep and for draining. */
  readonly flights: FlightBoard
  /** Called once for every finished request, with its record. */
  readonly observe: (record: UsageRecord) => void
  readonly refused: (code: string) => void
  readonly isReady: () => boolean
  /** Whether this request is in the sample that is recounted although the supplier's usage is good. */
  readonly isSampled: () => boolean
  /** Prometheus text of all threads. */
  readonly metricsText: () => Promise<string>
}
