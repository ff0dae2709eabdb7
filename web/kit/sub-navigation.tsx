import { hrefTo, useRoute } from './router.ts'

/** Views of one page, each with an address of its own. */
export function SubNavigation({
  page,
  label,
  current,
  views,
}: {
  readonly page: string
  readonly label: string
  readonly current: string
  readonly views: ReadonlyArray<readonly [name: string, title: string]>
}) {
  const { search } = useRoute()
  const kept = new URLSearchParams(search.get('tenant') ? { tenant: search.get('tenant') ?? '' } : {})
  return (
    <nav className="sub-navigation" aria-label={label}>
      {views.map(([name, title]) => (
        <a key={name} href={hrefTo(page, name, kept)} aria-current={name === current ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  )
}
