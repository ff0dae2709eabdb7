import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { KeyView } from '#contract'
import { post } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState } from '../../kit/layout.tsx'
import type { Tone } from '../../kit/layout.tsx'
import { describeProblem, problemText } from '../../kit/problem-text.ts'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { keysText } from './text.ts'

const tones: Readonly<Record<KeyView['status'], Tone>> = { active: 'good', revoked: 'bad', expired: 'warn' }

export function KeyTable({ rows }: { readonly rows: readonly KeyView[] }) {
  const text = useText(keysText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator } = useScope()
  const confirmRevocation = useRevocation()
  const limitsOf = ({ limits }: KeyView): readonly string[] => [
    ...(limits.requestsPerMinute === undefined ? [] : [text.rpm(format.count(limits.requestsPerMinute))]),
    ...(limits.tokensPerMinute === undefined ? [] : [text.tpm(format.compact(limits.tokensPerMinute))]),
    ...(limits.maxConcurrency === undefined ? [] : [text.concurrency(format.count(limits.maxConcurrency))]),
  ]
  const columns: readonly Column<KeyView>[] = [
    { key: 'name', title: text.name, lead: true, cell: (row) => row.name },
    { key: 'preview', title: text.preview, cell: (row) => <code>{row.preview}</code> },
    {
      key: 'status',
      title: common.status,
      cell: (row) => <Badge tone={tones[row.status]}>{text.statuses[row.status]}</Badge>,
    },
    ...(isOperator
      ? ([{ key: 'tenant', title: common.tenant, cell: (row) => row.tenant }] satisfies Column<KeyView>[])
      : []),
    { key: 'id', title: common.id, cell: (row) => <code>{row.id}</code> },
    { key: 'created', title: text.created, cell: (row) => format.fullDateTime(row.createdAtMs) },
    {
      key: 'expires',
      title: text.expires,
      cell: (row) => (row.expiresAtMs === null ? common.never : format.fullDateTime(row.expiresAtMs)),
    },
    {
      key: 'limits',
      title: text.limits,
      cell: (row) => limitsOf(row).join(' · ') || <span className="muted">{common.unlimited}</span>,
    },
    {
      key: 'actions',
      title: <span className="visually-hidden">{text.revoke}</span>,
      numeric: true,
      cell: (row) =>
        row.status === 'active' && (
          <Button size="small" danger onClick={() => confirmRevocation(row)} aria-label={`${text.revoke} ${row.name}`}>
            {text.revoke}
          </Button>
        ),
    },
  ]
  return (
    <DataTable
      label={text.title}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.id}
      empty={<EmptyState title={text.none}>{text.noneMore}</EmptyState>}
    />
  )
}

/** Asks first, then revokes. */
function useRevocation(): (key: KeyView) => void {
  const text = useText(keysText)
  const common = useText(words)
  const problems = useText(problemText)
  const { modal, message } = App.useApp()
  const queries = useQueryClient()
  const revoke = useMutation({
    mutationFn: (key: KeyView) => post(`/keys/${encodeURIComponent(key.id)}/revoke`, KeyView, {}),
    onSuccess: async () => {
      void message.success(text.revoked)
      await queries.invalidateQueries({ queryKey: ['keys'] })
    },
    onError: (error) => void message.error(describeProblem(error, problems).message),
  })
  return (key) =>
    void modal.confirm({
      title: text.revokeTitle(key.name),
      content: text.revokeText,
      icon: null,
      okText: text.revoke,
      cancelText: common.cancel,
      okButtonProps: { danger: true },
      focusable: { autoFocusButton: 'cancel' },
      onOk: () => revoke.mutateAsync(key).catch(() => undefined),
    })
}
