import { Hono } from 'hono'
import type { Context } from 'hono'
import { parseExact, writeExact } from '#platform/json'
import type { ExactJson, ExactObject } from '#platform/json'
import type { Api, Kind } from './engine/kind.ts'
import { parseQuery } from './engine/query.ts'
import { path as pathOf } from './engine/resource.ts'
import type { Resource } from './engine/resource.ts'
import { bodyTooLarge, invalidBody, methodNotAllowed, unknownPath, unsupportedMedia } from './problems.ts'
import type { Resources } from './service.ts'

const MAX_BODY_BYTES = 1024 * 1024

/** The APIs, to be mounted at `/tmf-api` behind the operator's token. Problems are thrown: the app renders them with `tmfError`. */
export function tmfRoutes({ apis, resources }: { readonly apis: readonly Api[]; readonly resources: Resources }): Hono {
  const app = new Hono()
  for (const api of apis)
    for (const kind of api.kinds) addKind(app, resources, kind, `/tmf-api/${api.name}/v4/${pathOf(kind.type)}`)
  app.all('*', (context) => {
    throw unknownPath({ path: context.req.path })
  })
  return app
}

function addKind(app: Hono, resources: Resources, kind: Kind, base: string): void {
  const { type } = kind
  const collection = base.slice('/tmf-api'.length)
  const item = `${collection}/:id`
  const hrefOf = ({ id }: Resource) => `${base}/${encodeURIComponent(id)}`
  const render = (resource: Resource): ExactObject => ({
    id: resource.id,
    href: hrefOf(resource),
    '@type': type.name,
    ...resource.attributes,
  })
  const idOf = (context: Context) => context.req.param('id') ?? ''
  const allowed = (context: Context, method: 'POST' | 'PATCH' | 'DELETE') => {
    if (!type.methods.includes(method)) throw methodNotAllowed({ method, path: context.req.path })
  }

  app.get(collection, async (context) => {
    const query = parseQuery(type, new URL(context.req.url).searchParams)
    const { items, total } = await resources.list(kind, query)
    context.header('x-total-count', `${total}`)
    context.header('x-result-count', `${items.length}`)
    const views = items.map((resource) => selected(render(resource), query.fields))
    return json(context, views, query.offset + items.length < total || query.offset > 0 ? 206 : 200)
  })
  app.post(collection, async (context) => {
    allowed(context, 'POST')
    const made = await resources.create(kind, await readJson(context))
    context.header('location', hrefOf(made))
    return json(context, render(made), 201)
  })
  app.get(item, async (context) => {
    const { fields } = parseQuery(type, new URL(context.req.url).searchParams)
    return json(context, selected(render(await resources.read(kind, idOf(context))), fields), 200)
  })
  app.patch(item, async (context) => {
    allowed(context, 'PATCH')
    return json(context, render(await resources.patch(kind, idOf(context), await readJson(context))), 200)
  })
  app.delete(item, async (context) => {
    allowed(context, 'DELETE')
    await resources.remove(kind, idOf(context))
    return context.body(null, 204)
  })
  for (const path of [collection, item])
    app.all(path, (context) => {
      throw methodNotAllowed({ method: context.req.method, path: context.req.path })
    })
}

/** `id` and `href` always come along (TMF630, attribute selection). */
function selected(view: ExactObject, fields: ReadonlySet<string> | undefined): ExactObject {
  if (!fields) return view
  return Object.fromEntries(
    Object.entries(view).filter(([name]) => name === 'id' || name === 'href' || fields.has(name)),
  )
}

function json(context: Context, value: ExactJson, status: 200 | 201 | 206): Response {
  return context.body(writeExact(value), status, { 'content-type': 'application/json' })
}

async function readJson(context: Context): Promise<ExactJson> {
  const type = context.req.header('content-type') ?? ''
  const isPatch = context.req.method === 'PATCH'
  if (!(isPatch ? /^application\/(?:merge-patch\+)?json\s*(?:;|$)/i : /^application\/json\s*(?:;|$)/i).test(type))
    throw unsupportedMedia({})
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of context.req.raw.body ?? []) {
    bytes += piece.byteLength
    if (bytes > MAX_BODY_BYTES) throw bodyTooLarge({ limitBytes: MAX_BODY_BYTES })
    pieces.push(piece)
  }
  try {
    return parseExact(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)))
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
    const message = error instanceof SyntaxError ? error.message.slice(0, 200) : 'the body is not UTF-8'
    throw invalidBody({ issues: [{ path: '', message }] }, { cause: error })
  }
}
