import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { request as requestHttp } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import * as z from 'zod'
import { CliError, EXIT } from './exit-codes.ts'
import type { ExitCode } from './exit-codes.ts'

export interface Client {
  get<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    query?: Readonly<Record<string, string | undefined>>,
  ): Promise<z.output<Schema>>
  post<Schema extends z.ZodType>(path: string, schema: Schema, body?: unknown): Promise<z.output<Schema>>
  /** A call whose answer comes in lines, `{ progress }` until the last, `{ reply }`. */
  follow<Schema extends z.ZodType, Progress extends z.ZodType>(
    path: string,
    schema: Schema,
    progress: { readonly schema: Progress; readonly show: (progress: z.output<Progress>) => void },
  ): Promise<z.output<Schema>>
  /** Sends a file as it is; the answer comes in lines like that of `follow`. */
  upload<Schema extends z.ZodType, Progress extends z.ZodType>(
    path: string,
    file: string,
    schema: Schema,
    progress: { readonly schema: Progress; readonly show: (progress: z.output<Progress>) => void },
  ): Promise<z.output<Schema>>
  /** Writes an answer into a file as it comes, and returns how many bytes it has. */
  save(path: string, file: string, query?: Readonly<Record<string, string | undefined>>): Promise<number>
}

const DEFAULT_URL = 'http://127.0.0.1:8081'
/** Proving the books of a busy year takes a while. */
const TIMEOUT_MS = 600_000

const Line = z.object({
  progress: z.unknown().optional(),
  reply: z.unknown().optional(),
  /** A refusal that came when the answer had begun. */
  problem: z.unknown().optional(),
})

const ProblemBody = z.looseObject({ detail: z.string(), code: z.string(), status: z.int() })

/**
 * Speaks to the control plane. The token is TOKENFACTORY_TOKEN, else DATA_DIR/admin-token; with TOKENFACTORY_EMAIL and
 * TOKENFACTORY_PASSWORD a person signs in instead, as decisions of two people need.
 */
export function createClient({
  url,
  env,
}: {
  readonly url: string | undefined
  readonly env: NodeJS.ProcessEnv
}): Client {
  const base = (url ?? (env['TOKENFACTORY_URL'] || DEFAULT_URL)).replace(/\/+$/, '')
  if (!URL.canParse(base) || !/^https?:/.test(base))
    throw new CliError(EXIT.usage, `not an http or https address: ${base}`)

  let signedIn: Promise<string> | undefined
  const credentials = async (): Promise<Record<string, string>> => {
    const [email, password] = [env['TOKENFACTORY_EMAIL'], env['TOKENFACTORY_PASSWORD']]
    if (!email || !password) return { authorization: `Bearer ${await tokenFrom(env)}` }
    signedIn ??= signIn(base, email, password)
    return { cookie: await signedIn }
  }

  const call = async <Schema extends z.ZodType>(
    method: string,
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<z.output<Schema>> => {
    const headers = await credentials()
    if (body !== undefined) headers['content-type'] = 'application/json'
    const { status, content } = await exchange(base, `/api/v1${path}`, method, headers, body)
    const value = parseJson(content)
    if (status < 200 || status > 299) throw refusal(status, value, base)
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    throw new CliError(EXIT.failure, `what answers at ${base} is no Token Factory of this version`)
  }
  const inLines = async <Schema extends z.ZodType, Progress extends z.ZodType>(
    path: string,
    schema: Schema,
    progress: { readonly schema: Progress; readonly show: (progress: z.output<Progress>) => void },
    file?: string,
  ): Promise<z.output<Schema>> => {
    const headers = {
      ...(await credentials()),
      accept: 'application/x-ndjson',
      ...(file === undefined
        ? {}
        : { 'content-type': 'application/octet-stream', 'content-length': `${await sizeOf(file)}` }),
    }
    let reply: unknown
    let problem: unknown
    await exchangeLines(base, `/api/v1${path}`, { headers, file }, (line) => {
      const told = Line.safeParse(line).data ?? {}
      const shown = progress.schema.safeParse(told.progress)
      if (shown.success) progress.show(shown.data)
      else ({ reply, problem } = told)
    })
    if (problem !== undefined) throw refusal(ProblemBody.safeParse(problem).data?.status ?? 500, problem, base)
    const parsed = schema.safeParse(reply)
    if (parsed.success) return parsed.data
    throw new CliError(EXIT.failure, `what answers at ${base} is no Token Factory of this version`)
  }
  return {
    get: (path, schema, query = {}) => call('GET', withQuery(path, query), schema),
    post: (path, schema, body) => call('POST', path, schema, body),
    follow: (path, schema, progress) => inLines(path, schema, progress),
    upload: (path, file, schema, progress) => inLines(path, schema, progress, file),
    async save(path, file, query = {}) {
      const headers = await credentials()
      return download(base, `/api/v1${withQuery(path, query)}`, { headers, file })
    },
  }
}

/** A session of a person, whose name stands behind what is decided. Returns the cookie. */
async function signIn(base: string, email: string, password: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const { status, content, cookie } = await exchange(base, '/api/v1/session', 'POST', headers, { email, password })
  if (status < 200 || status > 299) throw refusal(status, parseJson(content), base)
  if (cookie === undefined)
    throw new CliError(EXIT.failure, `what answers at ${base} is no Token Factory of this version`)
  return cookie
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const search = new URLSearchParams(given).toString()
  return search ? `${path}?${search}` : path
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    throw new CliError(EXIT.notFound, `${file} cannot be read (${reasonOf(error)})`)
  }
}

/** An answer of any size passes through a small memory. A file appears only for an answer that is no refusal. */
async function download(
  base: string,
  path: string,
  { headers, file }: { headers: Readonly<Record<string, string>>; file: string },
): Promise<number> {
  const request = base.startsWith('https:') ? requestHttps : requestHttp
  try {
    const reply = await new Promise<IncomingMessage>((done, fail) => {
      const call = request(`${base}${path}`, { headers, agent: false }, done)
      call.on('error', fail)
      call.end()
    })
    const status = reply.statusCode ?? 0
    if (status < 200 || status > 299) throw refusal(status, parseJson(await text(reply)), base)
    await pipeline(reply, createWriteStream(file))
    return (await stat(file)).size
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(EXIT.unreachable, `${file} could not be fetched from ${base} (${reasonOf(error)})`)
  }
}

/** One request and its whole answer. Not by `fetch`, which gives up after five minutes without an answer whatever it is told. */
async function exchange(
  base: string,
  path: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<{ readonly status: number; readonly content: string; readonly cookie: string | undefined }> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const request = base.startsWith('https:') ? requestHttps : requestHttp
  let reply: IncomingMessage | undefined
  try {
    reply = await new Promise<IncomingMessage>((done, fail) => {
      const call = request(`${base}${path}`, { method, headers, signal, agent: false }, done)
      // Also after the answer began: without a listener, a broken connection would end the program.
      call.on('error', fail)
      call.end(body === undefined ? undefined : JSON.stringify(body))
    })
    const cookie = reply.headers['set-cookie']?.[0]?.split(';')[0]
    return { status: reply.statusCode ?? 0, content: await text(reply), cookie }
  } catch (error) {
    if (signal.aborted) {
      throw new CliError(EXIT.unreachable, `the factory at ${base} did not answer within ${TIMEOUT_MS / 1000} s`)
    }
    if (reply) throw new CliError(EXIT.unreachable, `the factory at ${base} broke off its answer (${reasonOf(error)})`)
    throw new CliError(
      EXIT.unreachable,
      `the factory cannot be reached at ${base} (${reasonOf(error)}). Is it running? See --url.`,
    )
  }
}

/** A POST whose answer comes in lines of JSON; silence for as long as others may take for their whole answer is too long. */
async function exchangeLines(
  base: string,
  path: string,
  { headers, file }: { headers: Readonly<Record<string, string>>; file: string | undefined },
  onLine: (line: unknown) => void,
): Promise<void> {
  const request = base.startsWith('https:') ? requestHttps : requestHttp
  let reply: IncomingMessage | undefined
  try {
    reply = await new Promise<IncomingMessage>((done, fail) => {
      const call = request(`${base}${path}`, { method: 'POST', headers, agent: false }, done)
      call.on('error', fail)
      call.setTimeout(TIMEOUT_MS, () => call.destroy(new Error('silence')))
      if (file === undefined) call.end()
      // A server that refuses the file early closes its side; what it says is read all the same.
      else pipeline(createReadStream(file), call).catch(fail)
    })
    const status = reply.statusCode ?? 0
    if (status < 200 || status > 299) throw refusal(status, parseJson(await text(reply)), base)
    // Not by readline's iterator, which ends a broken answer as if it were whole.
    let rest = ''
    for await (const piece of reply.setEncoding('utf8')) {
      const lines = `${rest}${String(piece)}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(parseJson(line))
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    if (reply) throw new CliError(EXIT.unreachable, `the factory at ${base} broke off its answer (${reasonOf(error)})`)
    throw new CliError(
      EXIT.unreachable,
      `the factory cannot be reached at ${base} (${reasonOf(error)}). Is it running? See --url.`,
    )
  }
}

async function tokenFrom(env: NodeJS.ProcessEnv): Promise<string> {
  const given = env['TOKENFACTORY_TOKEN']
  if (given) return given
  const path = join(env['DATA_DIR'] || './data', 'admin-token')
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch {
    throw new CliError(
      EXIT.failure,
      `no admin token: set TOKENFACTORY_TOKEN, or DATA_DIR to where the factory keeps its data (looked at ${path})`,
    )
  }
}

function refusal(status: number, value: unknown, base: string): CliError {
  const problem = ProblemBody.safeParse(value)
  if (!problem.success) return new CliError(EXIT.failure, `${base} answered ${status}`)
  const codes: Readonly<Record<number, ExitCode>> = { 404: EXIT.notFound, 422: EXIT.mistakes }
  const hint = status === 401 ? ' The token is not the one of this factory: see TOKENFACTORY_TOKEN and DATA_DIR.' : ''
  return new CliError(codes[status] ?? EXIT.failure, `${problem.data.detail}${hint}`, value)
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error) return 'code' in error ? String(error.code) : error.name
  return 'unknown reason'
}
