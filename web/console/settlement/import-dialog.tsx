import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ImportReply } from '#contract'
import { upload } from '../../kit/api.ts'
import { Field, FormDialog } from '../../kit/form-dialog.tsx'
import { useText } from '../../kit/language.tsx'
import { hrefTo, navigate, useRoute } from '../../kit/router.ts'
import { settlementText } from './text.ts'

/** A supplier's file for one month; it opens the statement when it was read. */
export function ImportDialog({
  supplier,
  period,
  onClose,
}: {
  readonly supplier: string
  readonly period: string
  readonly onClose: () => void
}) {
  const text = useText(settlementText)
  const queries = useQueryClient()
  const { search } = useRoute()
  const [file, setFile] = useState<File | null>(null)
  const send = useMutation({
    mutationFn: (chosen: File) =>
      upload('/settlement/statements', ImportReply, { query: { supplier, period, file: chosen.name }, file: chosen }),
    onSuccess: async ({ statement }) => {
      await queries.invalidateQueries({ queryKey: ['settlement'] })
      onClose()
      navigate(hrefTo('settlement', statement.id, search))
    },
  })
  return (
    <FormDialog
      open
      title={text.importStatement}
      action={text.importAction(supplier, period)}
      disabled={file === null}
      pending={send.isPending}
      error={send.error}
      onAct={() => file && send.mutate(file)}
      onClose={onClose}
    >
      <p className="muted">{text.importLead}</p>
      <Field label={text.file} htmlFor="statement-file">
        <input
          id="statement-file"
          type="file"
          accept=".csv,.xlsx,.json,.jsonl"
          onChange={(event) => setFile(event.target.files?.[0] ?? null)}
        />
      </Field>
    </FormDialog>
  )
}
