import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { RunReply } from '#contract'
import { fenToPico } from '#kernel'
import { get, post } from '../../kit/api.ts'
import { DownloadButton } from '../../kit/download-button.tsx'
import { Field, FormDialog } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Facts, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { History, RunBadge, StepButtons } from './parts.tsx'
import { settlementText } from './text.ts'

/** One settlement: what it is made from, who proposed, reviewed and approved it, and what comes next. */
export function Run({ id }: { readonly id: string }) {
  const run = useQuery({
    queryKey: ['settlement', 'run', id],
    queryFn: ({ signal }) => get(`/settlement/runs/${encodeURIComponent(id)}`, RunReply, { signal }),
  })
  return (
    <QueryView query={run} rows={8}>
      {(reply) => <Sheet run={reply} />}
    </QueryView>
  )
}

function Sheet({ run }: { readonly run: RunReply }) {
  const text = useText(settlementText)
  const { isOperator } = useScope()
  const { search } = useRoute()
  const steps = useSteps(run)
  const pdf = `/settlement/runs/${encodeURIComponent(run.id)}/pdf`
  const [paying, setPaying] = useState(false)
  return (
    <>
      <div className="row" style={{ marginBottom: 10, justifyContent: 'space-between', alignItems: 'flex-start' }}>
        <div className="row">
          <b className="wrap">{run.id}</b>
          <RunBadge state={run.state} />
        </div>
        {isOperator && run.state === 'posted' && (
          <Button type="primary" onClick={() => setPaying(true)}>
            {text.steps.pay}
          </Button>
        )}
        {isOperator && <StepButtons steps={steps} />}
      </div>
      <Panel
        title={text.run}
        aside={
          <>
            <DownloadButton path={pdf} query={{ lang: 'zh-CN' }} label="PDF 中文" />
            <DownloadButton path={pdf} query={{ lang: 'en' }} label="PDF English" />
          </>
        }
      >
        <Facts
          facts={[
            [text.supplier, run.supplier],
            [text.period, run.period],
            [
              text.statement,
              <a key="statement" className="wrap" href={hrefTo('settlement', run.statement, search)}>
                {run.statement}
              </a>,
            ],
            [text.proposedBy, run.proposedBy],
            [text.reviewedBy, run.reviewedBy ?? '–'],
            [text.approvedBy, run.approvedBy ?? '–'],
            [text.reference, run.paymentReference ?? '–'],
          ]}
        />
      </Panel>
      {run.figures && <Figures figures={run.figures} />}
      <History events={run.events} />
      {paying && <PayDialog run={run.id} onClose={() => setPaying(false)} />}
    </>
  )
}

function Figures({ figures }: { readonly figures: NonNullable<RunReply['figures']> }) {
  const text = useText(settlementText)
  const format = useFormat()
  const fen = (amount: string) => format.money(fenToPico(BigInt(amount)))
  return (
    <Panel title={text.figures}>
      <Facts
        facts={[
          [text.figure.accrued, format.money(figures.accruedPico)],
          [text.figure.rounding, format.money(figures.roundingPico)],
          [text.figure.agreed, format.money(figures.agreedPico)],
          [text.figure.released, format.money(figures.releasedPico)],
          [text.figure.held, format.money(figures.heldPico)],
          [text.figure.variance, format.money(figures.variancePico)],
          [text.figure.net, fen(figures.netFen)],
          [text.figure.tax(figures.taxPercent), fen(figures.taxFen)],
          [text.figure.gross, fen(figures.grossFen)],
          [text.figure.penalty, fen(figures.penaltyFen)],
          [text.figure.netted, fen(figures.nettedFen)],
          [
            text.figure.payable,
            <b key="payable" className="tone-money">
              {fen(figures.payableFen)}
            </b>,
          ],
        ]}
      />
    </Panel>
  )
}

const NEXT = {
  computed: ['recompute', 'review'],
  reviewed: ['recompute', 'approve'],
  failed: ['recompute'],
  approved: ['post'],
  paid: ['close'],
} as const satisfies Partial<Record<RunReply['state'], readonly string[]>>

function useSteps({ id, state }: RunReply) {
  const text = useText(settlementText)
  const names = state in NEXT ? NEXT[state as keyof typeof NEXT] : []
  return names.map((name) => ({
    label: text.steps[name],
    path: `/settlement/runs/${encodeURIComponent(id)}/${name}`,
    body: {},
    isMain: name !== 'recompute',
  }))
}

function PayDialog({ run, onClose }: { readonly run: string; readonly onClose: () => void }) {
  const text = useText(settlementText)
  const queries = useQueryClient()
  const [reference, setReference] = useState('')
  const pay = useMutation({
    mutationFn: () =>
      post(`/settlement/runs/${encodeURIComponent(run)}/pay`, RunReply, { reference: reference.trim() }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: ['settlement'] })
    },
  })
  return (
    <FormDialog
      open
      title={text.steps.pay}
      action={text.steps.pay}
      disabled={reference.trim() === ''}
      pending={pay.isPending}
      error={pay.error}
      onAct={() => pay.mutate()}
      onClose={onClose}
    >
      <p className="muted">{text.payLead}</p>
      <Field label={text.reference} htmlFor="pay-reference">
        <Input
          id="pay-reference"
          maxLength={120}
          value={reference}
          onChange={(event) => setReference(event.target.value)}
        />
      </Field>
    </FormDialog>
  )
}
