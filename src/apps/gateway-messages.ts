import type { Snapshot } from '#contract'
import type { LimitTable, WaitTable } from '#admission'
import type { MetricSnapshot } from '#platform/metrics'
import type { SchedulerTable } from '#scheduler'
import type { GatewaySettingsFile } from './gateway-settings.ts'

/** What the gateway's main thread tells a worker. */
export type ToWorker =
  | {
      readonly type: 'snapshot'
      readonly snapshot: Snapshot
      readonly slots: ReadonlyMap<string, number>
      /** Where the scheduler keeps what it knows of each supplier and of each supplier's model. */
      readonly places: ReadonlyMap<string, number>
      /** Gateway processes that live, this one among them: each keeps to its part of what contracts allow. */
      readonly gateways: number
    }
  | { readonly type: 'metrics-reply'; readonly call: number; readonly text: string }
  | { readonly type: 'metrics-ask'; readonly call: number }
  | { readonly type: 'drain'; readonly graceMs: number }

/** What a worker tells the main thread. */
export type FromWorker =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'metrics-ask'; readonly call: number }
  | { readonly type: 'metrics-reply'; readonly call: number; readonly snapshot: readonly MetricSnapshot[] }

export interface WorkerStart {
  readonly index: number
  readonly gatewayId: string
  /** Journals of gateways that no longer run here: worker 0 ships what they left behind and gives their slices back. */
  readonly abandoned: readonly string[]
  readonly port: number
  readonly table: LimitTable
  readonly waits: WaitTable
  readonly scheduler: SchedulerTable
  readonly settings: GatewaySettingsFile
}
