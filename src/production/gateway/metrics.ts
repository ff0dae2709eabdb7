import type { UsageRecord } from '#contract'
import { TOKEN_CLASSES } from '#kernel'
import { createRegistry } from '#platform/metrics'
import type { Cell, Histogram, MetricSnapshot } from '#platform/metrics'
import type { Gateway } from './gateway.ts'

/** A gateway thread's numbers. */
export interface GatewayMetrics {
  observe(record: UsageRecord): void
  refused(code: string): void
  /** Reads the gauges; called when somebody asks. */
  measure(gateway: Gateway, openConnections: number): void
  snapshot(): MetricSnapshot[]
}

/** Bounds in seconds as the OpenTelemetry GenAI conventions advise for durations and time to first token. */
const DURATION_BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const TTFT_BOUNDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const TPOT_BOUNDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]

interface Children {
  readonly duration: Histogram
  readonly ttft: Histogram
  readonly tpot: Histogram
  readonly endings: Map<string, Cell>
  readonly tokens: readonly Cell[]
}

/** Names: opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics, written as Prometheus writes them; `tokenfactory_…` where no convention exists. */
export function createGatewayMetrics(): GatewayMetrics {
  const registry = createRegistry()
  const labels = ['gen_ai_request_model', 'gen_ai_provider_name']
  const duration = registry.histogram(
    'gen_ai_server_request_duration_seconds',
    'Time from accepted to recorded.',
    DURATION_BOUNDS,
    labels,
  )
  const ttft = registry.histogram(
    'gen_ai_server_time_to_first_token_seconds',
    'Time to the first piece of the answer.',
    TTFT_BOUNDS,
    labels,
  )
  const tpot = registry.histogram(
    'gen_ai_server_time_per_output_token_seconds',
    'Time per output token after the first.',
    TPOT_BOUNDS,
    labels,
  )
  const tokens = registry.counter('tokenfactory_tokens_total', 'Tokens by disjoint class.', [
    ...labels,
    'gen_ai_token_type',
  ])
  const requests = registry.counter(
    'tokenfactory_requests_total',
    'Requests that reached a supplier, by how they ended.',
    [...labels, 'ending'],
  )
  const refusals = registry.counter(
    'tokenfactory_refusals_total',
    'Requests refused before a supplier was asked, by problem code.',
    ['code'],
  )
  const inFlight = registry.gauge('tokenfactory_requests_in_flight', 'Requests under way.').with()
  const waiting = registry.gauge(
    'tokenfactory_queue_waiting',
    'Requests that wait for a supplier, by service and class.',
    ['gen_ai_request_model', 'tier'],
  )
  const connections = registry.gauge('tokenfactory_client_connections', 'Open client connections.').with()
  const atSuppliers = registry.gauge('tokenfactory_supplier_requests_in_flight', 'Attempts under way at a supplier.', [
    'gen_ai_provider_name',
  ])
  const holds = registry.gauge('tokenfactory_holds_outstanding', 'Holds not yet captured or voided.').with()
  const slices = registry.gauge('tokenfactory_slices_open', 'Slices of buckets held by this gateway.').with()
  const unshipped = registry
    .gauge('tokenfactory_journal_unshipped_records', 'Usage records not yet acknowledged by charging.')
    .with()
  const quarantined = registry
    .gauge('tokenfactory_journal_quarantined_records', 'Usage records that charging set aside.')
    .with()
  const children = new Map<string, Children>()

  const childrenOf = (service: string, supplier: string): Children => {
    const key = `${service} ${supplier}`
    let found = children.get(key)
    if (!found) {
      found = {
        duration: duration.with(service, supplier),
        ttft: ttft.with(service, supplier),
        tpot: tpot.with(service, supplier),
        endings: new Map(),
        tokens: TOKEN_CLASSES.map((name) => tokens.with(service, supplier, name)),
      }
      children.set(key, found)
    }
    return found
  }

  return {
    observe(record) {
      const child = childrenOf(record.service, record.supplier)
      child.duration.observe(record.durationMs / 1000)
      let ending = child.endings.get(record.ending)
      if (!ending) {
        ending = requests.with(record.service, record.supplier, record.ending)
        child.endings.set(record.ending, ending)
      }
      ending.add(1)
      TOKEN_CLASSES.forEach((name, i) => child.tokens[i]?.add(record.tokens[name]))
      if (record.ttftMs === null) return
      child.ttft.observe(record.ttftMs / 1000)
      const output = record.tokens.output + record.tokens.reasoning
      if (record.stream && output > 1) child.tpot.observe((record.durationMs - record.ttftMs) / 1000 / (output - 1))
    },
    refused: (code) => refusals.with(code).add(1),
    measure(gateway, openConnections) {
      const stats = gateway.holds.stats()
      inFlight.set(gateway.flights.size)
      for (const { lines } of gateway.directory().services.values())
        for (const { supplier } of lines) atSuppliers.with(supplier.id).set(gateway.limits.runningHere(supplier.slot))
      for (const queue of gateway.flow.view(performance.now()))
        waiting.with(queue.service, queue.tier).set(queue.waiting)
      connections.set(openConnections)
      holds.set(stats.outstandingHolds)
      slices.set(stats.openSlices + stats.drainingSlices)
      unshipped.set(stats.unshippedRecords)
      quarantined.set(stats.quarantinedRecords)
    },
    snapshot: registry.snapshot,
  }
}
