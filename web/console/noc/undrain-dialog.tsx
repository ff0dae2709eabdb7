import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Input } from 'antd'
import { useState } from 'react'
import { DrainView } from '#contract'
import { post } from '../../kit/api.ts'
import { Field, FormDialog } from '../../kit/form-dialog.tsx'
import { useText } from '../../kit/language.tsx'
import { nocText } from './text.ts'

export function UndrainDialog({ supplier, onClose }: { readonly supplier: string; readonly onClose: () => void }) {
  const text = useText(nocText)
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const undrain = useMutation({
    mutationFn: () => post(`/suppliers/${encodeURIComponent(supplier)}/undrain`, DrainView, { reason }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: ['noc'] })
    },
  })
  return (
    <FormDialog
      open
      title={text.undrainTitle(supplier)}
      action={text.undrain}
      disabled={reason.trim() === ''}
      pending={undrain.isPending}
      error={undrain.error}
      onAct={() => undrain.mutate()}
      onClose={onClose}
    >
      <p className="muted">{text.undrainLead}</p>
      <Field label={text.reason} htmlFor="undrain-reason" note={text.reasonNote}>
        <Input
          id="undrain-reason"
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
          autoFocus
        />
      </Field>
    </FormDialog>
  )
}
