import { useMemo, useSyncExternalStore } from 'react'

/** The address after `#`: pages need no server routes, and filters live in the address so that a link shows the same thing. */
export interface Route {
  readonly page: string
  readonly detail: string | null
  readonly search: URLSearchParams
}

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?')
  const [page = '', ...rest] = path.split('/')
  const detail = rest.join('/')
  return { page, detail: detail === '' ? null : safeDecode(detail), search: new URLSearchParams(search) }
}

/** Keeps the current search (tenant, filters) unless `changes` says otherwise; null removes a parameter. */
export function hrefTo(
  page: string,
  detail: string | null,
  search: URLSearchParams,
  changes: Readonly<Record<string, string | null>> = {},
): string {
  const next = new URLSearchParams(search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) next.delete(name)
    else next.set(name, value)
  }
  return `#/${page}${detail === null ? '' : `/${encodeURIComponent(detail)}`}${next.size > 0 ? `?${next}` : ''}`
}

export function navigate(href: string): void {
  window.location.hash = href.replace(/^#/, '')
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash)
  return useMemo(() => parseRoute(hash), [hash])
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener('hashchange', onChange)
  return () => window.removeEventListener('hashchange', onChange)
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A hand-typed address with a stray percent sign is still an address: show it as it was typed.
    return text
  }
}
