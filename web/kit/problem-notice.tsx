import { Button } from 'antd'
import { useText } from './language.tsx'
import { describeProblem, problemText } from './problem-text.ts'
import { words } from './words.ts'

/** A failure in plain words, with what to tell the operator and, where it makes sense, a way to try again. */
export function ProblemNotice({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const common = useText(words)
  const problem = describeProblem(error, useText(problemText))
  return (
    <div className="notice notice-bad" role="alert">
      <div>
        <strong>{problem.message}</strong>
        {problem.retryAfterSeconds !== null && <span> {common.retryAfter(problem.retryAfterSeconds)}</span>}
        <div className="notice-detail">{problem.detail}</div>
      </div>
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          {common.retry}
        </Button>
      )}
    </div>
  )
}
