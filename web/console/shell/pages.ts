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
  | 'books'

interface PageEntry {
  readonly name: PageName
  readonly icon: keyof typeof icons
  readonly operatorOnly: boolean
  readonly component: ComponentType
}

/** In the order of the navigation. Every page is its own chunk. */
export const pages: readonly PageEntry[] = [
  page('overview', () => import('../overview/page.tsx')),
  page('requests', () => import('../requests/page.tsx')),
  page('playground', () => import('../playground/page.tsx')),
  page('shop', () => import('../shop/page.tsx')),
  page('balance', () => import('../balance/page.tsx')),
  page('finance', () => import('../finance/page.tsx')),
  page('keys', () => import('../keys/page.tsx')),
  page('services', () => import('../services/page.tsx')),
  page('books', () => import('../books/page.tsx'), true),
]

function page(name: PageName, load: () => Promise<{ default: ComponentType }>, operatorOnly = false): PageEntry {
  return { name, icon: name, operatorOnly, component: lazy(load) }
}
