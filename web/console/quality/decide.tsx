import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { post } from '../../kit/api.ts'
import { FormDialog } from '../../kit/form-dialog.tsx'
import { useText } from '../../kit/language.tsx'
import { ReasonField } from '../../kit/reason-field.tsx'
import { qualityText, wordOf } from './text.ts'

/** Buttons for what can be decided; each asks for its reason. What takes two people is refused to the first one by the server. */
export function Decide({ path, acts }: { readonly path: string; readonly acts: readonly string[] }) {
  const text = useText(qualityText)
  const [doing, setDoing] = useState<string | null>(null)
  return (
    <div className="row" style={{ flexWrap: 'wrap' }}>
      {acts.map((act) => (
        <Button key={act} size="small" onClick={() => setDoing(act)}>
          {wordOf(text.acts, act)}
        </Button>
      ))}
      {doing !== null && <DecideDialog path={path} act={doing} onClose={() => setDoing(null)} />}
    </div>
  )
}

function DecideDialog({
  path,
  act,
  onClose,
}: {
  readonly path: string
  readonly act: string
  readonly onClose: () => void
}) {
  const text = useText(qualityText)
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const decide = useMutation({
    mutationFn: () =>
      act === 'answer'
        ? post(`${path}/answer`, z.unknown(), { reason: reason.trim() })
        : post(`${path}/decide`, z.unknown(), { to: act, reason: reason.trim() }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: ['quality'] })
    },
  })
  const name = wordOf(text.acts, act)
  return (
    <FormDialog
      open
      title={name}
      action={name}
      disabled={reason.trim() === ''}
      pending={decide.isPending}
      error={decide.error}
      onAct={() => decide.mutate()}
      onClose={onClose}
    >
      <ReasonField id="decide-reason" label={text.reason} value={reason} onChange={setReason} maxLength={1000} />
    </FormDialog>
  )
}
