import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Select } from 'antd'
import { useState } from 'react'
import { FapiaoView } from '#contract'
import type { DocumentReply } from '#contract'
import { post } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { FormDialog, Field } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { ReasonField } from '../../kit/reason-field.tsx'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { financeText } from './text.ts'

/** The tax invoices of a document: asking for one is for everybody, taking the next step and reversing are the operator's. */
export function Fapiaos({ document }: { readonly document: DocumentReply }) {
  const text = useText(financeText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator } = useScope()
  const [deed, setDeed] = useState<'request' | 'advance' | 'reverse' | null>(null)
  const current = document.fapiaos[0]
  const mayAsk =
    document.number !== null &&
    document.kind === 'invoice' &&
    (current === undefined || current.state === 'failed' || current.state === 'redIssued')
  const deeds = [
    ...(mayAsk ? (['request'] as const) : []),
    ...(isOperator && current && /^(?:requested|redRequested|redConfirmed)$/.test(current.state)
      ? (['advance'] as const)
      : []),
    ...(isOperator && current?.state === 'issued' ? (['reverse'] as const) : []),
  ]
  return (
    <Panel
      flush
      title={text.fapiao}
      aside={deeds.map((one) => (
        <Button key={one} size="small" onClick={() => setDeed(one)}>
          {text.fapiaoDeeds[one]}
        </Button>
      ))}
    >
      <DataTable
        label={text.fapiao}
        rows={document.fapiaos}
        rowKey={(row) => `${row.kind}-${row.number ?? row.updatedAtMs}`}
        empty={<EmptyState title={text.noFapiao}>{text.fapiaoSimulated}</EmptyState>}
        columns={[
          { key: 'kind', title: text.kind, lead: true, cell: (row) => text.fapiaoKinds[row.kind] },
          {
            key: 'state',
            title: text.state,
            cell: (row) => (
              <Badge tone={row.state === 'issued' ? 'good' : row.state === 'failed' ? 'bad' : 'warn'}>
                {text.fapiaoStates[row.state]}
              </Badge>
            ),
          },
          { key: 'number', title: text.number, cell: (row) => <code className="wrap">{row.number ?? '–'}</code> },
          { key: 'red', title: text.redNumber, cell: (row) => <code className="wrap">{row.redNumber ?? '–'}</code> },
          { key: 'failure', title: text.failure, cell: (row) => <span className="wrap">{row.failure ?? ''}</span> },
          { key: 'time', title: common.time, cell: (row) => format.fullDateTime(row.updatedAtMs) },
        ]}
      />
      {deed && <FapiaoDialog document={document.id} deed={deed} onClose={() => setDeed(null)} />}
    </Panel>
  )
}

function FapiaoDialog({
  document,
  deed,
  onClose,
}: {
  readonly document: string
  readonly deed: 'request' | 'advance' | 'reverse'
  readonly onClose: () => void
}) {
  const text = useText(financeText)
  const queries = useQueryClient()
  const [kind, setKind] = useState<'ordinary' | 'special'>('ordinary')
  const [reason, setReason] = useState('')
  const act = useMutation({
    mutationFn: () => {
      const path = `/invoices/${encodeURIComponent(document)}/fapiao`
      if (deed === 'request') return post(path, FapiaoView, { kind })
      return post(`${path}/${deed}`, FapiaoView, deed === 'reverse' ? { reason: reason.trim() } : {})
    },
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: ['document'] })
    },
  })
  return (
    <FormDialog
      open
      title={text.fapiaoDeeds[deed]}
      action={text.fapiaoDeeds[deed]}
      danger={deed === 'reverse'}
      disabled={deed === 'reverse' && reason.trim() === ''}
      pending={act.isPending}
      error={act.error}
      onAct={() => act.mutate()}
      onClose={onClose}
    >
      <p className="muted">{text.fapiaoSimulated}</p>
      {deed === 'request' && (
        <Field label={text.kind} htmlFor="fapiao-kind">
          <Select
            id="fapiao-kind"
            value={kind}
            onChange={setKind}
            options={(['ordinary', 'special'] as const).map((value) => ({ value, label: text.fapiaoKinds[value] }))}
          />
        </Field>
      )}
      {deed === 'reverse' && <ReasonField id="fapiao-reason" label={text.reason} value={reason} onChange={setReason} />}
    </FormDialog>
  )
}
