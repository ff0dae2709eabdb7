export { tmfError } from './error.ts'
export { tmfRoutes } from './routes.ts'
export { createTmf } from './tmf.ts'
export type { Tmf, TmfDeps } from './tmf.ts'
