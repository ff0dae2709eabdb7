import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, InputNumber } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { post } from '../../kit/api.ts'
import { Field, FormDialog } from '../../kit/form-dialog.tsx'
import { useText } from '../../kit/language.tsx'
import { ReasonField } from '../../kit/reason-field.tsx'
import { procurementText } from './text.ts'

export type Act = keyof typeof procurementText.zh.acts

/** What a deed is told to the server with. */
export interface Deed {
  readonly act: Act
  readonly path: string
  /** What stands in the body beside the reason. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Asks for a number of units under this name; without it, for none. */
  readonly units?: { readonly label: string; readonly most?: number }
  readonly hasReason: boolean
}

const DANGEROUS: ReadonlySet<Act> = new Set(['suspend', 'terminate', 'reject', 'revoke'])

/** Buttons for what can be done next; each asks for its reason and shows why it was refused. */
export function ActButtons({ deeds }: { readonly deeds: readonly Deed[] }) {
  const text = useText(procurementText)
  const [doing, setDoing] = useState<Deed | null>(null)
  return (
    <div className="row" style={{ flexWrap: 'wrap' }}>
      {deeds.map((deed) => (
        <Button key={deed.act} size="small" danger={DANGEROUS.has(deed.act)} onClick={() => setDoing(deed)}>
          {text.acts[deed.act]}
        </Button>
      ))}
      {doing && <ActDialog deed={doing} onClose={() => setDoing(null)} />}
    </div>
  )
}

function ActDialog({ deed, onClose }: { readonly deed: Deed; readonly onClose: () => void }) {
  const text = useText(procurementText)
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const [units, setUnits] = useState<number | null>(deed.units?.most ?? null)
  const act = useMutation({
    mutationFn: () =>
      post(deed.path, z.unknown(), {
        ...deed.body,
        ...(deed.hasReason && { reason: reason.trim() }),
        ...(deed.units && { units }),
      }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: ['supply'] })
    },
  })
  return (
    <FormDialog
      open
      title={text.acts[deed.act]}
      action={text.acts[deed.act]}
      danger={DANGEROUS.has(deed.act)}
      disabled={(deed.hasReason && reason.trim() === '') || (deed.units !== undefined && units === null)}
      pending={act.isPending}
      error={act.error}
      onAct={() => act.mutate()}
      onClose={onClose}
    >
      {deed.units && (
        <Field label={deed.units.label} htmlFor="act-units">
          <InputNumber
            id="act-units"
            min={1}
            max={deed.units.most ?? 1_000_000}
            precision={0}
            value={units}
            onChange={setUnits}
          />
        </Field>
      )}
      {deed.hasReason && <ReasonField id="act-reason" label={text.reason} value={reason} onChange={setReason} />}
    </FormDialog>
  )
}
