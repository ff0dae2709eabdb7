export { createCatalogue } from './service.ts'
export type { Catalogue, CatalogueDeps } from './service.ts'
export { createOffers } from './offers/service.ts'
export type { Offers } from './offers/service.ts'
