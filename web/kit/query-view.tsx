import type { UseQueryResult } from '@tanstack/react-query'
import { Skeleton } from 'antd'
import type { ReactNode } from 'react'
import { useText } from './language.tsx'
import { ProblemNotice } from './problem-notice.tsx'
import { words } from './words.ts'

interface Props<Data> {
  readonly query: UseQueryResult<Data, Error>
  readonly children: (data: Data) => ReactNode
  readonly rows?: number
}

/** The three states that every read has: loading, failed with a retry, and data (also stale data, which says so). */
export function QueryView<Data>({ query, children, rows = 5 }: Props<Data>) {
  const common = useText(words)
  if (query.data === undefined) {
    if (query.isError) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
    return (
      <div className="loading" role="status" aria-label={common.loading}>
        <Skeleton active title={false} paragraph={{ rows }} />
      </div>
    )
  }
  return (
    <>
      {query.isError && (
        <div className="stale" role="status">
          {common.stale}
        </div>
      )}
      {children(query.data)}
    </>
  )
}
