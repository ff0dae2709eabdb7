import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Input, Modal } from 'antd'
import { useState } from 'react'
import type * as z from 'zod'
import { InvoiceRunReply } from '#contract'
import { DAY_MS, chinaDate } from '#kernel'
import { post } from '../../kit/api.ts'
import { FormDialog, Field } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { documentName } from './document-words.tsx'
import { financeText } from './text.ts'

/** The monthly run: which month, for whom, and whether what it makes waits for a look; then what came of it. */
export function RunDialog({ onClose }: { readonly onClose: () => void }) {
  const text = useText(financeText)
  const queries = useQueryClient()
  const { tenant } = useScope()
  const [period, setPeriod] = useState(lastMonth)
  const [hold, setHold] = useState(false)
  const run = useMutation({
    mutationFn: () => post('/invoices/run', InvoiceRunReply, { period, hold, ...(tenant === null ? {} : { tenant }) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['documents'] }),
  })
  if (run.data) return <RunResult result={run.data} onClose={onClose} />
  return (
    <FormDialog
      open
      title={text.startRun}
      action={text.runAction(period, tenant ?? text.allTenants)}
      disabled={!/^\d{4}-\d{2}$/.test(period)}
      pending={run.isPending}
      error={run.error}
      onAct={() => run.mutate()}
      onClose={onClose}
    >
      <p className="muted">{text.runLead}</p>
      <Field label={text.period} htmlFor="run-period">
        <Input id="run-period" type="month" value={period} onChange={(event) => setPeriod(event.target.value)} />
      </Field>
      <Checkbox checked={hold} onChange={(event) => setHold(event.target.checked)}>
        {text.runHold}
      </Checkbox>
    </FormDialog>
  )
}

function RunResult({
  result: { period, documents, failures },
  onClose,
}: {
  readonly result: z.infer<typeof InvoiceRunReply>
  readonly onClose: () => void
}) {
  const text = useText(financeText)
  const common = useText(words)
  const format = useFormat()
  const { search } = useRoute()
  return (
    <Modal open onCancel={onClose} title={text.runDone(period)} footer={null}>
      <div className="stack">
        <p>{text.runMade(format.count(documents.length), format.count(failures.length))}</p>
        {failures.map(({ tenant, code, detail }) => (
          <div key={tenant} className="notice notice-bad">
            <div>
              <strong className="wrap">{tenant}</strong>
              <div className="notice-detail">
                {code} · {detail}
              </div>
            </div>
          </div>
        ))}
        <div className="stack" style={{ gap: 4, maxHeight: 320, overflowY: 'auto' }}>
          {documents.map((document) => (
            <div key={document.id} className="row" style={{ justifyContent: 'space-between' }}>
              <a className="wrap" href={hrefTo('finance', document.id, search)} onClick={onClose}>
                {text.kinds[document.kind]} {documentName(document)} · {document.tenant}
              </a>
              <span>{format.yuan(document.gross)}</span>
            </div>
          ))}
        </div>
        <Button onClick={onClose}>{common.close}</Button>
      </div>
    </Modal>
  )
}

/** The last complete month in China. */
function lastMonth(): string {
  const today = chinaDate(Date.now())
  return chinaDate(Date.now() - Number(today.slice(8)) * DAY_MS).slice(0, 7)
}
