import { lazy } from 'react'
import type { ComponentType } from 'react'
import type { icons } from '../../kit/icons.tsx'

export type PageName =
  | 'overview'
  | 'requests'
  | 'playground'
  | 'shop'
  | 'balance'
  | 'finance'
  | 'keys'
  | 'services'
  | 'procurement'
  | 'quality'
  | 'settlement'
  | 'noc'
  | 'books'

/** Who finds a page in the navigation: operators find all of them. */
export type Audience = 'everybody' | 'tenants' | 'operators' | 'suppliers'

interface PageEntry {
  readonly name: PageName
  readonly icon: keyof typeof icons
  readonly audience: Audience
  readonly component: ComponentType
}

/** In the order of the navigation. Every page is its own chunk. */
const pages: readonly PageEntry[] = [
  page('overview', () => import('../overview/page.tsx')),
  page('requests', () => import('../requests/page.tsx')),
  page('playground', () => import('../playground/page.tsx')),
  page('shop', () => import('../shop/page.tsx')),
  page('balance', () => import('../balance/page.tsx')),
  page('finance', () => import('../finance/page.tsx')),
  page('keys', () => import('../keys/page.tsx')),
  page('services', () => import('../services/page.tsx')),
  page('noc', () => import('../noc/page.tsx'), 'operators'),
  page('procurement', () => import('../procurement/page.tsx'), 'suppliers'),
  page('quality', () => import('../quality/page.tsx'), 'everybody'),
  page('settlement', () => import('../settlement/page.tsx'), 'suppliers'),
  page('books', () => import('../books/page.tsx'), 'operators'),
]

function page(
  name: PageName,
  load: () => Promise<{ default: ComponentType }>,
  audience: Audience = 'tenants',
): PageEntry {
  return { name, icon: name, audience, component: lazy(load) }
}

const AUDIENCE_OF = { tenant: 'tenants', supplier: 'suppliers', operator: 'operators' } as const

/** What somebody of this role finds. */
export function pagesFor(role: keyof typeof AUDIENCE_OF): readonly PageEntry[] {
  return role === 'operator'
    ? pages
    : pages.filter(({ audience }) => audience === 'everybody' || audience === AUDIENCE_OF[role])
}
