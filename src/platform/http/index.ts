export type { ActiveCall, CallHandler, CallOptions, ClientFailure, Exchange, HeaderView, HttpClient, HttpServer, ServerOptions } from './types.ts'
