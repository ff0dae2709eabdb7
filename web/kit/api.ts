import type * as z from 'zod'

/** A refusal or breakdown that a page can show: `code` is what the texts are translated by. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: string
  readonly status: number
  readonly params: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds: number | null
  constructor(about: {
    readonly code: string
    readonly status: number
    readonly detail: string
    readonly params?: Readonly<Record<string, unknown>>
    readonly retryAfterSeconds?: number | null
    readonly cause?: unknown
  }) {
    super(about.detail, { cause: about.cause })
    this.code = about.code
    this.status = about.status
    this.params = about.params ?? {}
    this.retryAfterSeconds = about.retryAfterSeconds ?? null
  }
}

export type Query = Readonly<Record<string, string | number | null | undefined>>

interface CallOptions {
  readonly query?: Query
  readonly body?: unknown
  readonly file?: Blob
  readonly signal?: AbortSignal
}

/** GET below `/api/v1`, with the reply checked against its contract. */
export function get<Reply>(
  path: string,
  schema: z.ZodType<Reply>,
  options: Omit<CallOptions, 'body'> = {},
): Promise<Reply> {
  return call('GET', path, schema, options)
}

export function post<Reply>(path: string, schema: z.ZodType<Reply>, body: unknown): Promise<Reply> {
  return call('POST', path, schema, { body })
}

/** Sends a file as it is. */
export async function upload<Reply>(
  path: string,
  schema: z.ZodType<Reply>,
  { query, file }: { readonly query: Query; readonly file: Blob },
): Promise<Reply> {
  return call('POST', path, schema, { query, file })
}

/** DELETE below `/api/v1`; whatever is answered on success is of no interest. */
export async function remove(path: string): Promise<void> {
  const response = await send('DELETE', path, {})
  if (!response.ok) throw await readRefusal(response)
}

/** A file below `/api/v1`, with the name that the server gives it. */
export async function download(path: string, query: Query): Promise<{ readonly blob: Blob; readonly name: string }> {
  const response = await send('GET', path, { query })
  if (!response.ok) throw await readRefusal(response)
  const [, name] = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '') ?? []
  return { blob: await response.blob(), name: name ?? path.slice(path.lastIndexOf('/') + 1) }
}

async function call<Reply>(
  method: string,
  path: string,
  schema: z.ZodType<Reply>,
  options: CallOptions,
): Promise<Reply> {
  const response = await send(method, path, options)
  if (!response.ok) throw await readRefusal(response)
  const parsed = schema.safeParse(await readJson(response))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue ? ` (${issue.path.join('.')}: ${issue.message})` : ''
    throw new ApiError({
      code: 'reply_not_understood',
      status: response.status,
      detail: `${method} ${path}${where}`,
      cause: parsed.error,
    })
  }
  return parsed.data
}

async function send(method: string, path: string, { query = {}, body, file, signal }: CallOptions): Promise<Response> {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== undefined) search.set(name, String(value))
  const suffix = search.size > 0 ? `?${search}` : ''
  try {
    return await fetch(`/api/v1${path}${suffix}`, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(file ? { 'content-type': 'application/octet-stream' } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(file ? { body: file } : {}),
      ...(signal ? { signal } : {}),
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError({ code: 'network_unreachable', status: 0, detail: `${method} ${path}`, cause })
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (cause) {
    throw new ApiError({ code: 'reply_not_understood', status: response.status, detail: response.url, cause })
  }
}

/** Reads both error shapes we meet: RFC 9457 of the control plane and OpenAI's `{error}` of the gateway. */
export async function readRefusal(response: Response): Promise<ApiError> {
  const body = asObject(await response.json().catch(() => null))
  const about = asObject(body['error'] ?? body)
  const text = (name: string) => (typeof about[name] === 'string' ? about[name] : null)
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ApiError({
    code: text('code') ?? text('type') ?? `http_${response.status}`,
    status: response.status,
    detail: text('detail') ?? text('message') ?? response.statusText,
    params: asObject(about['params']),
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
  })
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
