export { type Engine, type EngineEvent, type EngineOptions, type EngineUsage, createEngine } from './engine.ts'
export { type EngineServer, type EngineServerOptions, createEngineServer } from './server.ts'
export type { ModelHabits } from './request.ts'
