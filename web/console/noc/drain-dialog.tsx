import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Checkbox, Input } from 'antd'
import { useState } from 'react'
import { DrainPreview, DrainView } from '#contract'
import { get, post } from '../../kit/api.ts'
import { Field, FormDialog } from '../../kit/form-dialog.tsx'
import { useText } from '../../kit/language.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { PreviewText } from './preview-text.tsx'
import { nocText } from './text.ts'

/** Where the traffic would go stands above the button that takes the supplier out of service. */
export function DrainDialog({ supplier, onClose }: { readonly supplier: string; readonly onClose: () => void }) {
  const text = useText(nocText)
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const [accepts, setAccepts] = useState(false)
  const path = `/suppliers/${encodeURIComponent(supplier)}/drain`
  const preview = useQuery({
    queryKey: ['drain-preview', supplier],
    queryFn: ({ signal }) => get(path, DrainPreview, { signal }),
    refetchInterval: 5000,
  })
  const drain = useMutation({
    mutationFn: () => post(path, DrainView, { reason, ...(accepts ? { acceptOrphans: true } : {}) }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: ['noc'] })
    },
  })
  const orphans = preview.data?.orphaned ?? []
  return (
    <FormDialog
      open
      danger
      width={640}
      title={text.drainTitle(supplier)}
      action={text.drain}
      disabled={reason.trim() === '' || preview.data === undefined || (orphans.length > 0 && !accepts)}
      pending={drain.isPending}
      error={drain.error}
      onAct={() => drain.mutate()}
      onClose={onClose}
    >
      <p className="muted">{text.drainLead}</p>
      <QueryView query={preview} rows={4}>
        {(reply) => <PreviewText preview={reply} />}
      </QueryView>
      {orphans.length > 0 && (
        <div className="notice notice-bad" role="alert">
          <div className="stack">
            <strong>{text.orphaned(orphans.join(', '))}</strong>
            <Checkbox checked={accepts} onChange={(event) => setAccepts(event.target.checked)}>
              {text.acceptOrphans}
            </Checkbox>
          </div>
        </div>
      )}
      <Field label={text.reason} htmlFor="drain-reason" note={text.reasonNote}>
        <Input
          id="drain-reason"
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
          autoFocus
        />
      </Field>
    </FormDialog>
  )
}
