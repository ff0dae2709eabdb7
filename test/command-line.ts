import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { runCli } from '../src/apps/cli/run.ts'
import { ADMIN_TOKEN } from './control.ts'
import type { ControlFixture } from './control.ts'

/** What one command said and how it ended. */
export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface CommandLine extends AsyncDisposable {
  readonly url: string
  run(
    args: readonly string[],
    more?: {
      /** What stands on standard input. */
      readonly input?: string
      /** In the place of the admin token. */
      readonly env?: NodeJS.ProcessEnv
      /** Somebody looks at a terminal: collects the lines of progress. */
      readonly shown?: string[]
    },
  ): Promise<Said>
}

/** The command line against a control plane that listens on loopback. */
export async function openCommandLine({ app, clock }: Pick<ControlFixture, 'app' | 'clock'>): Promise<CommandLine> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async run(args, { input = '', env = { TOKENFACTORY_TOKEN: ADMIN_TOKEN }, shown } = {}) {
      let [out, err] = ['', '']
      const code = await runCli(args, {
        env: { TOKENFACTORY_URL: url, ...env },
        write: (text) => (out += text),
        writeError: (text) => (err += text),
        readStandardInput: async () => input,
        nowMs: clock.nowMs,
        ...(shown && { showProgress: (line: string) => void shown.push(line) }),
      })
      return { code, out, err }
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
