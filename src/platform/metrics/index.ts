export { createRegistry } from './registry.ts'
export type { Cell, Family, Histogram, MetricSnapshot, Registry } from './registry.ts'
export { mergeMetrics, renderMetrics } from './render.ts'
