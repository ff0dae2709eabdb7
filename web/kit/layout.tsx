import type { ReactNode } from 'react'

export function Page({
  title,
  lead,
  actions,
  children,
}: {
  readonly title: string
  readonly lead?: string
  readonly actions?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <>
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {lead && <p className="lead">{lead}</p>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </>
  )
}

export function Panel({
  title,
  aside,
  children,
  flush = false,
}: {
  readonly title?: ReactNode
  readonly aside?: ReactNode
  readonly children: ReactNode
  /** No inner padding: for tables, which bring their own. */
  readonly flush?: boolean
}) {
  return (
    <section className="panel">
      {(title !== undefined || aside !== undefined) && (
        <div className="panel-head">
          {title !== undefined && <h2>{title}</h2>}
          {aside !== undefined && <div className="panel-aside">{aside}</div>}
        </div>
      )}
      <div className={flush ? 'panel-body flush' : 'panel-body'}>{children}</div>
    </section>
  )
}

export interface Meter {
  readonly label: string
  readonly value: ReactNode
  readonly note?: ReactNode
  readonly tone?: 'money' | 'bad'
}

/** A strip of readings, as on a switchboard: label above, figure below, all of them on one line where there is room. */
export function MeterStrip({ meters, label }: { readonly meters: readonly Meter[]; readonly label: string }) {
  return (
    <dl className="meters" aria-label={label}>
      {meters.map((meter) => (
        <div key={meter.label} className="meter">
          <dt>{meter.label}</dt>
          <dd className={meter.tone ? `tone-${meter.tone}` : undefined}>{meter.value}</dd>
          {meter.note !== undefined && <dd className="meter-note">{meter.note}</dd>}
        </div>
      ))}
    </dl>
  )
}

export function EmptyState({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children && <div className="empty-more">{children}</div>}
    </div>
  )
}

export type Tone = 'good' | 'bad' | 'warn' | 'plain'

/** State in words with a coloured edge: colour alone never carries the meaning. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return <span className={`badge badge-${tone}`}>{children}</span>
}

export function Facts({ facts }: { readonly facts: ReadonlyArray<readonly [label: string, value: ReactNode]> }) {
  return (
    <dl className="facts">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
