/** What the control plane counts, in the text format that Prometheus reads. */
export interface ControlMetrics {
  countRequest(area: string, status: number): void
  render(): string
}

export function createControlMetrics(): ControlMetrics {
  const requests = new Map<string, number>()
  return {
    countRequest(area, status) {
      const labels = `area="${area}",http_response_status_code="${status}"`
      requests.set(labels, (requests.get(labels) ?? 0) + 1)
    },
    render() {
      const { rss, heapUsed } = process.memoryUsage()
      const lines = [
        '# HELP tokenfactory_control_requests_total Requests answered by the control plane.',
        '# TYPE tokenfactory_control_requests_total counter',
        ...[...requests].map(([labels, count]) => `tokenfactory_control_requests_total{${labels}} ${count}`),
        '# HELP process_resident_memory_bytes Resident memory.',
        '# TYPE process_resident_memory_bytes gauge',
        `process_resident_memory_bytes ${rss}`,
        '# HELP nodejs_heap_used_bytes Used heap.',
        '# TYPE nodejs_heap_used_bytes gauge',
        `nodejs_heap_used_bytes ${heapUsed}`,
        '# HELP process_cpu_seconds_total User and system CPU time.',
        '# TYPE process_cpu_seconds_total counter',
        `process_cpu_seconds_total ${process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6}`,
      ]
      return `${lines.join('\n')}\n`
    },
  }
}
