import { Button } from 'antd'
import { useEffect, useState } from 'react'
import { useText } from './language.tsx'
import { words } from './words.ts'

/** The clipboard API exists on secure origins only; a console on a plain-http LAN address falls back to the old command. */
async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

export function CopyButton({
  text,
  label,
  primary = false,
}: {
  readonly text: string
  readonly label?: string
  readonly primary?: boolean
}) {
  const common = useText(words)
  const [outcome, setOutcome] = useState<'copied' | 'failed' | null>(null)
  useEffect(() => {
    if (outcome === null) return
    const timer = setTimeout(() => setOutcome(null), 2000)
    return () => clearTimeout(timer)
  }, [outcome])
  const copy = async () => {
    try {
      await copyText(text)
      setOutcome('copied')
    } catch {
      // The browser forbids it; the text is on the screen to be selected by hand.
      setOutcome('failed')
    }
  }
  return (
    <Button size="small" type={primary ? 'primary' : 'default'} onClick={() => void copy()} aria-live="polite">
      {outcome === 'copied' ? common.copied : outcome === 'failed' ? common.copyFailed : (label ?? common.copy)}
    </Button>
  )
}

/** Text to be taken elsewhere: a secret, a command, a program. */
export function CodeBlock({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="code-block">
      {/* Scrollable regions must be reachable by keyboard. */}
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <CopyButton text={text} />
    </div>
  )
}

/** An id, shortened for the eye in the middle, whole for the pointer and the clipboard. */
export function Id({ id, short = false }: { readonly id: string; readonly short?: boolean }) {
  const shown = short && id.length > 24 ? `${id.slice(0, 4)}…${id.slice(-8)}` : id
  return (
    <code className="id" title={id}>
      {shown}
    </code>
  )
}
