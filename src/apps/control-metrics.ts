import { createRegistry, renderMetrics } from '#platform/metrics'

/** What the control plane counts, in the text format that Prometheus reads. */
export interface ControlMetrics {
  countRequest(area: string, status: number): void
  render(): string
}

export function createControlMetrics(): ControlMetrics {
  const registry = createRegistry()
  const requests = registry.counter('tokenfactory_control_requests_total', 'Requests answered by the control plane.', [
    'area',
    'http_response_status_code',
  ])
  const resident = registry.gauge('process_resident_memory_bytes', 'Resident memory.').with()
  const cpu = registry.gauge('process_cpu_seconds_total', 'User and system CPU time.').with()
  return {
    countRequest: (area, status) => requests.with(area, String(status)).add(1),
    render() {
      const { user, system } = process.cpuUsage()
      resident.set(process.memoryUsage().rss)
      cpu.set((user + system) / 1e6)
      return renderMetrics(registry.snapshot())
    },
  }
}
