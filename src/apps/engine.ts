import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { systemClock } from '#platform/clock'
import { ConfigError, PositiveInt, readConfig } from '#platform/config'
import { randomWords } from '#platform/crypto'
import { createLog } from '#platform/log'
import { createEngine, createEngineServer } from '#suppliers/embedded'

/** The embedded engine as a program: a small model on the CPU behind an OpenAI-compatible server on loopback. */
const SHIPPED_MODEL = fileURLToPath(new URL('../../models/babbler-q8_0.gguf', import.meta.url))
const MAX_BODY_BYTES = 8 * 1024 * 1024
const DRAIN_MS = 3000
/** The shipped model needs a cool head, and never closes a quote by itself. */
const SHIPPED_MODEL_HABITS = { defaultTemperature: 0.6, maxFreeTextLength: 80 }
const OTHER_MODEL_HABITS = { defaultTemperature: 1, maxFreeTextLength: null }

const Settings = z.object({
  /** 0 or absent: any free port. */
  ENGINE_PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .default('0')
    .transform(Number),
  MODEL_FILE: z.string().default(SHIPPED_MODEL),
  /** The name that clients ask for. It stays the same for a user's own file, so the catalogue needs no change for one. */
  ENGINE_MODEL: z.string().default('babbler'),
  ENGINE_SEQUENCES: PositiveInt.default(8),
  ENGINE_QUEUE: PositiveInt.default(64),
  ENGINE_CONTEXT: PositiveInt.default(2048),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

async function main(): Promise<void> {
  const settings = readConfig(Settings, process.env)
  const log = createLog({ name: 'engine', level: settings.LOG_LEVEL })
  const model = settings.ENGINE_MODEL
  const engine = await createEngine({
    modelPath: settings.MODEL_FILE,
    modelId: model,
    sequences: settings.ENGINE_SEQUENCES,
    maxWaiting: settings.ENGINE_QUEUE,
    contextTokens: settings.ENGINE_CONTEXT,
    random: randomWords(),
    log,
  }).catch((cause: unknown) => {
    throw new ConfigError(`MODEL_FILE=${settings.MODEL_FILE} cannot be loaded: ${(cause as Error).message}`, { cause })
  })
  const server = createEngineServer({
    engine,
    clock: systemClock,
    log,
    maxBodyBytes: MAX_BODY_BYTES,
    ...(settings.MODEL_FILE === SHIPPED_MODEL ? SHIPPED_MODEL_HABITS : OTHER_MODEL_HABITS),
  })
  const port = await server.listen(settings.ENGINE_PORT)

  let isStopping = false
  const stop = async (drainMs: number): Promise<void> => {
    if (isStopping) return
    isStopping = true
    await server.close(drainMs)
    await engine.dispose()
    process.exit(0)
  }
  process.on('SIGTERM', () => void stop(DRAIN_MS))
  // A terminal sends SIGINT to everybody at once, but the gateway still drains: a supervisor decides.
  process.on('SIGINT', () => {
    if (!process.connected) void stop(DRAIN_MS)
  })
  // Without its supervisor nobody would ever stop this process.
  process.on('disconnect', () => void stop(0))

  process.send?.({ ready: true, port })
  process.stdout.write(`engine ready: model ${model} at http://127.0.0.1:${port}/v1\n`)
  const { contextTokens } = engine
  log.info({ port, model, sequences: settings.ENGINE_SEQUENCES, contextTokens }, 'engine ready')
}

try {
  await main()
} catch (error) {
  process.stderr.write(`engine: ${error instanceof ConfigError ? error.message : String((error as Error).stack)}\n`)
  process.exit(1)
}
