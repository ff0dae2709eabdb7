import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import * as z from 'zod'
import { ApplyReply, CreateKeyRequest, KeyView, NewKey, TenantView } from '#contract'
import { readFactoryFile, writeSecret } from './all-in-one-preflight.ts'
import { StartError } from './all-in-one-start-error.ts'

export interface FirstStartOptions {
  readonly controlUrl: string
  readonly adminToken: string
  readonly dataDir: string
  /** The `factory.yaml` that an empty installation begins with. */
  readonly factoryFile: string
}

const Mistakes = z.object({
  detail: z.string(),
  params: z
    .object({
      mistakes: z.array(z.object({ line: z.number(), column: z.number(), path: z.string(), message: z.string() })),
    })
    .optional(),
})
const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) })

const KeysOfFile = z.looseObject({
  keys: z.array(z.looseObject({ id: z.string(), tenant: z.string(), name: z.string().optional() })),
})
/** What `demo-pending` remembers: the declared key whose text is not saved yet. */
const Pending = z.object({ id: z.string(), tenant: z.string() })
type Pending = z.infer<typeof Pending>

/** Declares the example operator if the installation is empty, and returns a key to try it with (undefined if there is none). */
export async function declareIfEmpty(
  options: FirstStartOptions,
): Promise<{ readonly demoKey: string | undefined; readonly applied: boolean }> {
  const pendingFile = join(options.dataDir, 'demo-pending')
  const forget = () => rmSync(pendingFile, { force: true })
  const keep = (secret: string): string => {
    writeSecret(demoKeyFile(options.dataDir), secret)
    return secret
  }
  const tenants = z.array(TenantView).parse(await call(options, 'GET', '/tenants'))
  if (tenants.length > 0) {
    // A crash between declaring and saving loses the key's text, which exists nowhere else; another key replaces it.
    const saved = readIfThere(demoKeyFile(options.dataDir)) || undefined
    const lost = saved ? undefined : await lostKey(options, readIfThere(pendingFile))
    const demoKey = lost ? keep(NewKey.parse(await call(options, 'POST', '/keys', lost)).secret) : saved
    forget()
    return { demoKey, applied: false }
  }
  const document = readFactoryFile(options.factoryFile)
  const wanted = demoKeyOf(document)
  if (wanted) writeSecret(pendingFile, JSON.stringify(wanted))
  else forget()
  const reply = await call(options, 'POST', '/apply', { document, fileName: options.factoryFile }).catch(
    (error: unknown) => {
      if (error instanceof StartError) forget()
      throw error
    },
  )
  const demo = ApplyReply.parse(reply).newKeys.find(({ id }) => id === wanted?.id)
  const demoKey = demo && keep(demo.secret)
  forget()
  return { demoKey, applied: true }
}

/** The key of a file that is for trying things out, else its first; mistakes are left to whoever applies the file. */
function demoKeyOf(document: string): Pending | undefined {
  try {
    const { keys } = KeysOfFile.parse(parse(document))
    return keys.find(({ id, name }) => /demo/.test(id) || /demo/.test(name ?? '')) ?? keys[0]
  } catch {
    return undefined
  }
}

/** A key like the declared one, for the same tenant and with the same limits; undefined if none was lost. */
async function lostKey(
  options: FirstStartOptions,
  pending: string,
): Promise<z.infer<typeof CreateKeyRequest> | undefined> {
  const wanted = parsePending(pending)
  if (!wanted) return undefined
  const keys = z.array(KeyView).parse(await call(options, 'GET', `/keys?tenant=${encodeURIComponent(wanted.tenant)}`))
  const declared = keys.find(({ id, status }) => id === wanted.id && status === 'active')
  if (!declared) return undefined
  const { tenant, name, expiresAtMs, limits } = declared
  return CreateKeyRequest.parse({ tenant, name, expiresAtMs, limits })
}

function parsePending(text: string): Pending | undefined {
  try {
    return Pending.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

const demoKeyFile = (dataDir: string): string => join(dataDir, 'demo-key')
const readIfThere = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '')

async function call(
  { controlUrl, adminToken, factoryFile }: FirstStartOptions,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const reply = await fetch(`${controlUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const answer: unknown = await reply.json()
  if (reply.ok) return answer
  const { data } = Mistakes.safeParse(answer)
  const mistakes = data?.params?.mistakes.map(
    ({ line, column, path: where, message }) => `\n    ${factoryFile}:${line}:${column} ${where} ${message}`,
  )
  throw new StartError(
    `${method} ${path} was refused (${reply.status}): ${data?.detail ?? 'no reason given'}${mistakes?.join('') ?? ''}`,
  )
}

/**
 * A model that the demo key may use, asked of a gateway that is ready and therefore knows every key made before it started. A key
 * that it does not accept (revoked, expired) is forgotten. No model if the gateway does not answer in time, or `isOver` says so.
 */
export async function tryDemoKey(options: {
  readonly apiUrl: string
  readonly dataDir: string
  readonly demoKey: string | undefined
  readonly patienceMs: number
  readonly isOver: () => boolean
}): Promise<{ readonly demoKey: string | undefined; readonly model: string | undefined }> {
  const { apiUrl, dataDir, demoKey, patienceMs, isOver } = options
  const none = { demoKey, model: undefined }
  if (!demoKey) return none
  const until = performance.now() + patienceMs
  for (;;) {
    const reply = await fetch(`${apiUrl}/models`, { headers: { authorization: `Bearer ${demoKey}` } }).catch(
      () => undefined,
    )
    if (reply?.ok) return { demoKey, model: ModelList.parse(await reply.json()).data[0]?.id }
    await reply?.body?.cancel()
    if (reply?.status === 401) {
      rmSync(demoKeyFile(dataDir), { force: true })
      return { demoKey: undefined, model: undefined }
    }
    const isFinal = reply !== undefined && reply.status < 500
    if (isFinal || performance.now() > until || isOver()) return none
    await sleep(200)
  }
}
