import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Context } from 'hono'

interface StaticFile {
  readonly type: string
  readonly tag: string
  readonly plain: Buffer
  readonly packed: Buffer | undefined
  readonly isHashed: boolean
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

const NOT_BUILT =
  '<!doctype html><meta charset="utf-8"><title>Token Factory</title><p>The console has not been built: run <code>npm start</code>.'

/**
 * The console's files, kept in memory: what is not in the folder at the start cannot be asked for, so no path can lead out of
 * it. Every other page address answers with the console itself, which has its own pages.
 */
export function createStatic(folder: string): (context: Context) => Promise<Response> {
  let loading: Promise<ReadonlyMap<string, StaticFile>> | undefined
  return async (context) => {
    loading ??= loadAll(folder)
    const files = await loading
    // The console may be built after the control plane has started.
    if (files.size === 0) loading = undefined
    const { path } = context.req
    const file = files.get(path) ?? (extname(path) === '' || path === '/' ? files.get('/index.html') : undefined)
    if (!file) {
      const isPage = extname(path) === ''
      return isPage
        ? context.html(NOT_BUILT, 503, { 'cache-control': 'no-store' })
        : context.text('There is nothing here.', 404)
    }
    const headers: Record<string, string> = {
      'content-type': file.type,
      etag: file.tag,
      vary: 'accept-encoding',
      // Names of assets change with their content; the page itself is asked for again each time.
      'cache-control': file.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    }
    if (context.req.header('if-none-match') === file.tag) return context.body(null, 304, headers)
    const isPacked = file.packed !== undefined && /\bgzip\b/.test(context.req.header('accept-encoding') ?? '')
    const body = isPacked && file.packed ? file.packed : file.plain
    return context.body(new Uint8Array(body), 200, isPacked ? { ...headers, 'content-encoding': 'gzip' } : headers)
  }
}

async function loadAll(folder: string): Promise<ReadonlyMap<string, StaticFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    },
  )
  const files = new Map<string, StaticFile>()
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const plain = await readFile(path)
    const type = TYPES[extname(entry.name)] ?? 'application/octet-stream'
    const name = `/${relative(folder, path).split(sep).join('/')}`
    const isText = /^(?:text|application\/json|image\/svg)/.test(type)
    files.set(name, {
      type,
      plain,
      tag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
      packed: isText && plain.length > 1024 ? await promisify(gzip)(plain) : undefined,
      isHashed: name.startsWith('/assets/'),
    })
  }
  return files
}
