import { expect, test } from 'vitest'
import { createRegistry, mergeMetrics, renderMetrics } from './index.ts'

test('counters and histograms of several threads are summed and written as Prometheus reads them', () => {
  const threads = [1, 2].map((scale) => {
    const registry = createRegistry()
    registry.counter('requests_total', 'Requests.', ['model']).with('a"b\\c\nd').add(scale)
    const seconds = registry.histogram('seconds', 'Time.', [0.1, 1]).with()
    seconds.observe(0.1)
    seconds.observe(0.5 * scale)
    seconds.observe(5)
    registry.gauge('open', 'Open now.').with().set(scale)
    return registry.snapshot()
  })
  expect(renderMetrics(mergeMetrics(threads))).toBe(`# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{model="a\\"b\\\\c\\nd"} 3
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="0.1"} 2
seconds_bucket{le="1"} 4
seconds_bucket{le="+Inf"} 6
seconds_sum 11.7
seconds_count 6
# HELP open Open now.
# TYPE open gauge
open 3
`)
})

test('label values without end cannot fill memory', () => {
  const registry = createRegistry()
  const family = registry.counter('c', 'C.', ['who'])
  for (let i = 0; i < 10_000; i++) family.with(`user-${i}`).add(1)
  const [metric] = registry.snapshot()
  expect(metric?.series.length).toBe(2_001)
  expect(metric?.series.find(({ labels }) => labels[0] === 'other')?.values).toEqual([8_000])
})

test('a metric cannot be declared twice or under a malformed name', () => {
  const registry = createRegistry()
  registry.counter('c', 'C.')
  expect(() => registry.gauge('c', 'C.')).toThrow(/taken/)
  expect(() => registry.gauge('a b', 'C.')).toThrow(/malformed/)
})
