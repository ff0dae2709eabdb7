import { useMutation } from '@tanstack/react-query'
import { Button, Skeleton } from 'antd'
import { VerifyReply } from '#contract'
import { post } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Page, Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { booksText } from './text.ts'

type Check = VerifyReply['checks'][number]

export default function BooksPage() {
  const text = useText(booksText)
  const verify = useMutation({
    mutationFn: async () => ({ reply: await post('/verify', VerifyReply, {}), atMs: Date.now() }),
  })
  return (
    <Page
      title={text.title}
      lead={text.lead}
      actions={
        <Button type="primary" loading={verify.isPending} onClick={() => verify.mutate()}>
          {verify.data ? text.again : text.run}
        </Button>
      }
    >
      {verify.isError && <ProblemNotice error={verify.error} onRetry={() => verify.mutate()} />}
      {verify.isPending && (
        <Panel>
          <p className="muted" role="status" style={{ marginBottom: 10 }}>
            {text.running}
          </p>
          <Skeleton active title={false} paragraph={{ rows: 5 }} />
        </Panel>
      )}
      {verify.isIdle && (
        <Panel>
          <EmptyState title={text.idle}>{text.idleMore}</EmptyState>
        </Panel>
      )}
      {verify.isSuccess && <Verdict reply={verify.data.reply} atMs={verify.data.atMs} />}
    </Page>
  )
}

function Verdict({ reply, atMs }: { readonly reply: VerifyReply; readonly atMs: number }) {
  const text = useText(booksText)
  const format = useFormat()
  const failed = reply.checks.filter((check) => !check.ok).length
  const columns: readonly Column<Check>[] = [
    { key: 'check', title: text.check, lead: true, cell: (row) => text.checks[row.name] ?? row.name },
    { key: 'seen', title: text.seen, numeric: true, cell: (row) => format.count(row.seen) },
    {
      key: 'result',
      title: text.result,
      cell: (row) => (row.ok ? <Badge tone="good">{text.passed}</Badge> : <Badge tone="bad">{text.failed}</Badge>),
    },
  ]
  return (
    <>
      <div className={reply.ok ? 'notice notice-good' : 'notice notice-bad'} role="status" style={{ marginBottom: 14 }}>
        <div>
          <strong>{reply.ok ? text.good : text.bad}</strong>{' '}
          {reply.ok ? text.goodMore(format.count(reply.checks.length)) : text.badMore(format.count(failed))}
        </div>
        <span>{text.at(format.fullDateTime(atMs))}</span>
      </div>
      <Panel flush>
        <DataTable
          label={text.title}
          columns={columns}
          rows={reply.checks}
          rowKey={(row) => row.name}
          empty={null}
          detail={(row) =>
            row.disagreements.length > 0 ? (
              <>
                <p className="tone-bad">{text.disagreements(format.count(row.disagreements.length))}</p>
                <pre className="wrap" style={{ whiteSpace: 'pre-wrap', marginTop: 6 }}>
                  {row.disagreements.join('\n')}
                </pre>
              </>
            ) : null
          }
        />
      </Panel>
    </>
  )
}
