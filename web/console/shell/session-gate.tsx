import { useQuery } from '@tanstack/react-query'
import { Skeleton } from 'antd'
import { SessionReply } from '#contract'
import { ApiError, get } from '../../kit/api.ts'
import { useText } from '../../kit/language.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { SessionContext } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { Frame } from './frame.tsx'
import { SignIn } from './sign-in.tsx'

/** Shows the sign-in form until there is a session, and the console afterwards. */
export function SessionGate() {
  const common = useText(words)
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => readSession(signal), staleTime: Infinity })
  if (session.isPending) {
    return (
      <div className="main" role="status" aria-label={common.loading}>
        <Skeleton active />
      </div>
    )
  }
  if (session.isError) {
    return (
      <div className="main">
        <ProblemNotice error={session.error} onRetry={() => void session.refetch()} />
      </div>
    )
  }
  if (session.data === null) return <SignIn />
  return (
    <SessionContext value={session.data}>
      <Frame />
    </SessionContext>
  )
}

async function readSession(signal: AbortSignal): Promise<SessionReply | null> {
  try {
    return await get('/session', SessionReply, { signal })
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null
    throw error
  }
}
