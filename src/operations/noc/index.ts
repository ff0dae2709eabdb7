export { createNoc } from './service.ts'
export type { Noc, Surroundings } from './service.ts'
export { previewDrain } from './preview.ts'
export type { Flow, Route } from './preview.ts'
