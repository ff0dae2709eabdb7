import type { ReactNode } from 'react'

/** Opens what stands below a row of a table, and closes it again. */
export function UnfoldButton({
  isOpen,
  onToggle,
  children,
}: {
  readonly isOpen: boolean
  readonly onToggle: () => void
  readonly children: ReactNode
}) {
  return (
    <button type="button" className="plain-button link" aria-expanded={isOpen} onClick={onToggle}>
      {children}
    </button>
  )
}
