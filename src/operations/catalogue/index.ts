export { createCatalogue } from './service.ts'
export type { Catalogue, CatalogueDeps } from './service.ts'
export type { Wallets } from './apply.ts'
