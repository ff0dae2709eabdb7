import { useQueryClient } from '@tanstack/react-query'
import { Drawer, Skeleton } from 'antd'
import { Suspense, useEffect, useState } from 'react'
import type { SessionReply } from '#contract'
import { remove } from '../../kit/api.ts'
import { EmptyState } from '../../kit/layout.tsx'
import { icons, Mark } from '../../kit/icons.tsx'
import { useText } from '../../kit/language.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useInfo, useScope } from '../../kit/scope.tsx'
import { CrashGuard } from './crash-guard.tsx'
import { LanguageSwitch } from './language-switch.tsx'
import { pagesFor } from './pages.ts'
import { shellText } from './text.ts'

/** The frame around every page: navigation, who is signed in, language. */
export function Frame() {
  const text = useText(shellText)
  const { session } = useScope()
  const pages = pagesFor(session.role)
  const route = useRoute()
  // The menu belongs to the page it was opened on, so going elsewhere closes it.
  const [menuOn, setMenuOn] = useState<string | null>(null)
  const current = route.page === '' ? (pages[0]?.name ?? 'overview') : route.page
  const entry = pages.find((page) => page.name === current)

  useEffect(() => {
    document.title = entry ? `${text.pages[entry.name]} · ${text.product}` : text.product
  }, [entry, text])

  return (
    <div className="shell">
      <div className="rail">
        <Rail current={current} />
      </div>
      <div className="top-bar">
        <Brand />
        <button
          type="button"
          className="plain-button"
          aria-label={text.menu}
          aria-expanded={menuOn === current}
          onClick={() => setMenuOn(current)}
        >
          {icons.menu}
        </button>
      </div>
      <Drawer
        open={menuOn === current}
        onClose={() => setMenuOn(null)}
        size={256}
        placement="right"
        closable={false}
        styles={{ body: { padding: 0 } }}
        aria-label={text.menu}
      >
        <div className="drawer-rail">
          <Rail current={current} />
        </div>
      </Drawer>
      <main className="main" id="content" key={current}>
        <CrashGuard text={text}>
          <Suspense fallback={<Skeleton active />}>
            {entry ? (
              <entry.component />
            ) : (
              <EmptyState title={text.pageUnknown}>
                <a href="#/overview">{text.toOverview}</a>
              </EmptyState>
            )}
          </Suspense>
        </CrashGuard>
      </main>
    </div>
  )
}

function Brand() {
  const text = useText(shellText)
  return (
    <div className="brand">
      <Mark />
      <span>
        {text.product}
        <small>{text.productNote}</small>
      </span>
    </div>
  )
}

function Rail({ current }: { readonly current: string }) {
  const text = useText(shellText)
  const { session } = useScope()
  const { search } = useRoute()
  // Filters of one page mean nothing on another; only the tenant goes along.
  const kept = new URLSearchParams(search.get('tenant') ? { tenant: search.get('tenant') ?? '' } : {})
  return (
    <>
      <Brand />
      <nav className="nav" aria-label={text.mainNavigation}>
        {pagesFor(session.role).map((page) => (
          <a
            key={page.name}
            href={hrefTo(page.name, null, kept)}
            aria-current={page.name === current ? 'page' : undefined}
          >
            {icons[page.icon]}
            {text.pages[page.name]}
          </a>
        ))}
      </nav>
      <RailFoot />
    </>
  )
}

function RailFoot() {
  const text = useText(shellText)
  const { session } = useScope()
  const info = useInfo()
  const queries = useQueryClient()
  const signOut = async () => {
    try {
      await remove('/session')
    } finally {
      queries.clear()
      window.location.reload()
    }
  }
  return (
    <div className="rail-foot">
      <div>
        <div className="who">{session.email}</div>
        <div>{whoOf(session, text)}</div>
      </div>
      <div className="row" style={{ justifyContent: 'space-between' }}>
        <LanguageSwitch />
        <button type="button" className="plain-button" onClick={() => void signOut()}>
          {text.signOut}
        </button>
      </div>
      {info.data && <div className="version">{text.version(info.data.version)}</div>}
    </div>
  )
}

function whoOf({ role, tenant, supplier }: SessionReply, text: typeof shellText.zh): string {
  if (role === 'operator') return text.operator
  return role === 'supplier' ? text.supplierUser(supplier ?? '') : text.tenantUser(tenant ?? '')
}
