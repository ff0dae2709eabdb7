export { createHttpClient, type ClientOptions } from './client.ts'
export { headerLine } from './head-text.ts'
export { createHttpServer } from './server.ts'
export type {
  ActiveCall,
  CallHandler,
  CallOptions,
  ClientFailure,
  Exchange,
  HeaderView,
  HttpClient,
  HttpServer,
  ServerOptions,
} from './types.ts'
