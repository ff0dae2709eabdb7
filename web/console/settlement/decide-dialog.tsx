import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Input, Select } from 'antd'
import { useState } from 'react'
import { DecisionReply } from '#contract'
import type { DiscrepancyClass, DiscrepancyDecision } from '#contract'
import { post } from '../../kit/api.ts'
import { Field, FormDialog } from '../../kit/form-dialog.tsx'
import { useText } from '../../kit/language.tsx'
import { ReasonField } from '../../kit/reason-field.tsx'
import { settlementText } from './text.ts'

const DECISIONS = ['adjust', 'accept', 'write_off', 'dispute', 'assign'] as const

/** Decides about one difference or a class of them, with a reason. */
export function DecideDialog({
  statement,
  about,
  onClose,
}: {
  readonly statement: string
  readonly about: { readonly class: DiscrepancyClass } | { readonly numbers: readonly [number] }
  readonly onClose: () => void
}) {
  const text = useText(settlementText)
  const queries = useQueryClient()
  const [decision, setDecision] = useState<DiscrepancyDecision['decision']>('adjust')
  const [reason, setReason] = useState('')
  const [assignee, setAssignee] = useState('')
  const decide = useMutation({
    mutationFn: () =>
      post(`/settlement/statements/${encodeURIComponent(statement)}/decide`, DecisionReply, {
        decision,
        reason: reason.trim(),
        ...about,
        ...(decision === 'assign' ? { assignee: assignee.trim() } : {}),
      }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: ['settlement'] })
    },
  })
  const what = 'class' in about ? text.classes[about.class] : text.oneDiscrepancy(`${about.numbers[0]}`)
  return (
    <FormDialog
      open
      title={`${text.decide}: ${what}`}
      action={text.decide}
      disabled={reason.trim() === '' || (decision === 'assign' && assignee.trim() === '')}
      pending={decide.isPending}
      error={decide.error}
      onAct={() => decide.mutate()}
      onClose={onClose}
    >
      <p className="muted">{text.decisionLead(what)}</p>
      <Field label={text.decide} htmlFor="decision">
        <Select
          id="decision"
          style={{ width: '100%' }}
          value={decision}
          onChange={setDecision}
          options={DECISIONS.map((value) => ({ value, label: text.decisions[value] }))}
        />
      </Field>
      {decision === 'assign' && (
        <Field label={text.assignee} htmlFor="assignee">
          <Input id="assignee" maxLength={200} value={assignee} onChange={(event) => setAssignee(event.target.value)} />
        </Field>
      )}
      <ReasonField id="decision-reason" label={text.reason} value={reason} onChange={setReason} maxLength={200} />
    </FormDialog>
  )
}
