import { Input } from 'antd'
import { Field } from './form-dialog.tsx'

/** Why somebody decides: kept with the decision. */
export function ReasonField({
  id,
  label,
  value,
  onChange,
  maxLength = 500,
}: {
  readonly id: string
  readonly label: string
  readonly value: string
  readonly onChange: (reason: string) => void
  readonly maxLength?: number
}) {
  return (
    <Field label={label} htmlFor={id}>
      <Input.TextArea
        id={id}
        rows={2}
        maxLength={maxLength}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  )
}
