import { Button, Modal } from 'antd'
import type { ReactNode } from 'react'
import { useText } from './language.tsx'
import { ProblemNotice } from './problem-notice.tsx'
import { words } from './words.ts'

interface Props {
  readonly open: boolean
  readonly title: string
  /** What pressing the button does, with its amount where there is one. */
  readonly action: string
  readonly danger?: boolean
  readonly disabled?: boolean
  readonly pending: boolean
  /** Why it was refused; null while it was not. */
  readonly error: unknown
  readonly onAct: () => void
  readonly onClose: () => void
  readonly children: ReactNode
  readonly width?: number
}

/** A question with one deed: what is about to happen stands above the button that does it, and why it was refused below. */
export function FormDialog(props: Props) {
  const { open, title, action, danger, disabled, pending, error, onAct, onClose, children, width = 520 } = props
  const common = useText(words)
  return (
    <Modal open={open} onCancel={onClose} title={title} footer={null} destroyOnHidden width={width}>
      <div className="stack">
        {children}
        {error !== null && error !== undefined && <ProblemNotice error={error} />}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button onClick={onClose} disabled={pending}>
            {common.cancel}
          </Button>
          <Button
            type="primary"
            danger={danger === true}
            disabled={disabled === true}
            loading={pending}
            onClick={onAct}
          >
            {action}
          </Button>
        </div>
      </div>
    </Modal>
  )
}

/** A labelled control. */
export function Field({
  label,
  htmlFor,
  note,
  children,
}: {
  readonly label: string
  readonly htmlFor: string
  readonly note?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <div className="field">
      <label htmlFor={htmlFor}>{label}</label>
      {children}
      {note !== undefined && <div className="cell-note">{note}</div>}
    </div>
  )
}
