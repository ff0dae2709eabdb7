import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { ApplyReply, NewKey, TenantView } from '#contract'
import { writeSecret } from './all-in-one-preflight.ts'
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

/** Declares the example operator if the installation is empty, and returns a key to try it with (undefined if there is none). */
export async function declareIfEmpty(
  options: FirstStartOptions,
): Promise<{ readonly demoKey: string | undefined; readonly applied: boolean }> {
  const keyFile = join(options.dataDir, 'demo-key')
  const pendingFile = join(options.dataDir, 'demo-pending')
  const keep = (secret: string): string => {
    writeSecret(keyFile, secret)
    rmSync(pendingFile, { force: true })
    return secret
  }
  const saved = existsSync(keyFile) ? readFileSync(keyFile, 'utf8').trim() : undefined
  const tenants = z.array(TenantView).parse(await call(options, 'GET', '/tenants'))
  if (tenants.length > 0) {
    // A crash between declaring and saving loses the key's text, which exists nowhere else; another key replaces it.
    const [first] = tenants.toReversed()
    if (saved || !first || !existsSync(pendingFile)) return { demoKey: saved, applied: false }
    const { secret } = NewKey.parse(await call(options, 'POST', '/keys', { tenant: first.id, name: 'demo' }))
    return { demoKey: keep(secret), applied: false }
  }
  const document = readFileSync(options.factoryFile, 'utf8')
  writeSecret(pendingFile, 'a key is being made')
  const { newKeys } = ApplyReply.parse(
    await call(options, 'POST', '/apply', { document, fileName: options.factoryFile }),
  )
  const demo = newKeys.find((key) => /demo/.test(key.id) || /demo/.test(key.name)) ?? newKeys[0]
  return { demoKey: demo && keep(demo.secret), applied: true }
}

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

/** The models that a key may use, once the gateway knows the key; none if it does not in time, or `isOver` says so. */
export async function modelsFor(
  apiUrl: string,
  key: string,
  patienceMs: number,
  isOver: () => boolean,
): Promise<readonly string[]> {
  const until = performance.now() + patienceMs
  for (;;) {
    const reply = await fetch(`${apiUrl}/models`, { headers: { authorization: `Bearer ${key}` } }).catch(
      () => undefined,
    )
    if (reply?.ok) return ModelList.parse(await reply.json()).data.map(({ id }) => id)
    await reply?.body?.cancel()
    if (performance.now() > until || isOver()) return []
    await sleep(200)
  }
}
