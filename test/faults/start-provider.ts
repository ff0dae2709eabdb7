import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Fault, FromProvider, Mix, Sighting, ToProvider } from './fault.ts'

/** A provider's process, as a test holds it. */
export interface Provider extends AsyncDisposable {
  /** Up to and including `/v1`. */
  readonly url: string
  /** What a model does with its next requests; the last of the list stays. */
  script(model: string, ...faults: readonly Fault[]): Promise<void>
  mix(model: string, mix: Mix): Promise<void>
  /** Requests that it saw for a model (all where absent), oldest first. */
  seen(model?: string): Promise<readonly Sighting[]>
  openConnections(): Promise<number>
  /** Drops what it saw until now. */
  forget(): Promise<void>
}

export async function startProvider(): Promise<Provider> {
  const child = fork(fileURLToPath(new URL('./provider.ts', import.meta.url)), { stdio: 'inherit' })
  const waiting = new Map<number, (reply: FromProvider & { type: 'reply' }) => void>()
  const ready = Promise.withResolvers<number>()
  child.once('error', ready.reject)
  child.once('exit', (code) => ready.reject(new Error(`the provider exited with ${String(code)}`)))
  child.on('message', (message: FromProvider) => {
    if (message.type === 'ready') return ready.resolve(message.port)
    waiting.get(message.ask)?.(message)
    waiting.delete(message.ask)
  })
  const port = await ready.promise
  let asks = 0
  const ask = (message: ToProvider extends infer M ? (M extends ToProvider ? Omit<M, 'ask'> : never) : never) =>
    new Promise<FromProvider & { type: 'reply' }>((resolve) => {
      const number = asks++
      waiting.set(number, resolve)
      child.send({ ...message, ask: number })
    })
  return {
    url: `http://127.0.0.1:${port}/v1`,
    async script(model, ...faults) {
      await ask({ type: 'script', model, faults })
    },
    async mix(model, mix) {
      await ask({ type: 'mix', model, mix })
    },
    async seen(model) {
      const { sightings } = await ask({ type: 'look' })
      return model === undefined ? sightings : sightings.filter((one) => one.model === model)
    },
    async forget() {
      await ask({ type: 'forget' })
    },
    openConnections: async () => (await ask({ type: 'look' })).connections,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.disconnect()
      await gone
    },
  }
}
