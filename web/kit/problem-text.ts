import { ApiError } from './api.ts'
import { dictionary } from './language.tsx'

/** What a refusal means to the person in front of the screen, by its code. An unknown code falls back to the server's detail. */
export const problemText = dictionary(
  {
    network_unreachable: '连不上控制面，请检查网络或服务是否在运行',
    gateway_unreachable: '连不上网关，请检查网关是否在运行，以及浏览器能否访问该地址',
    reply_not_understood: '服务端的应答与约定不符',
    unauthenticated: '请先登录',
    invalid_credentials: '邮箱或密码不正确',
    too_many_attempts: '登录尝试次数过多，请稍后再试',
    forbidden: '当前账号无权进行此操作',
    operator_only: '仅运营人员可以进行此操作',
    not_found: '不存在，或不在你的可见范围内',
    request_invalid: '请求内容不符合要求',
    invalid_request: '请求内容不符合要求',
    internal_error: '服务端出现内部错误',
    rate_limit_exceeded: '请求过于频繁，已超过限额',
    insufficient_balance: '余额不足，请先充值',
    insufficient_quota: '余额不足，请先充值',
    invalid_api_key: 'API 密钥无效、已吊销或已过期',
    model_not_found: '没有这个服务，或该租户无权使用',
    context_length_exceeded: '输入超出该服务的上下文长度',
    no_capacity: '当前没有可用的供应商容量，请稍后重试',
    upstream_unavailable: '供应商暂时不可用，本次不计费',
    upstream_error: '供应商返回错误，本次不计费',
    upstream_timeout: '供应商超时，本次不计费',
    stream_cut: '回答在中途断开，本次不计费',
  },
  {
    network_unreachable: 'The control plane cannot be reached. Check the network and that it is running.',
    gateway_unreachable: 'The gateway cannot be reached. Check that it is running and that this browser can reach its address.',
    reply_not_understood: 'The server answered something that is not in the contract.',
    unauthenticated: 'Please sign in first.',
    invalid_credentials: 'The email or the password is wrong.',
    too_many_attempts: 'Too many sign-in attempts. Wait a moment and try again.',
    forbidden: 'This account may not do that.',
    operator_only: 'Only operators may do that.',
    not_found: 'It does not exist, or it is not yours to see.',
    request_invalid: 'The request is not valid.',
    invalid_request: 'The request is not valid.',
    internal_error: 'The server had an internal error.',
    rate_limit_exceeded: 'Too many requests: a rate limit was reached.',
    insufficient_balance: 'The balance does not suffice. Top up first.',
    insufficient_quota: 'The balance does not suffice. Top up first.',
    invalid_api_key: 'The API key is unknown, revoked or expired.',
    model_not_found: 'There is no such service, or this tenant may not use it.',
    context_length_exceeded: 'The input is longer than the context of this service.',
    no_capacity: 'No supplier has capacity right now. Try again shortly.',
    upstream_unavailable: 'No supplier could serve this. Nothing is charged.',
    upstream_error: 'The supplier failed. Nothing is charged.',
    upstream_timeout: 'The supplier timed out. Nothing is charged.',
    stream_cut: 'The answer was cut off midway. Nothing is charged.',
  },
)

export interface ProblemWords {
  readonly message: string
  /** Code, status and the server's own sentence, for a report to whoever runs the factory. */
  readonly detail: string
  readonly retryAfterSeconds: number | null
}

export function describeProblem(error: unknown, words: Readonly<Record<string, string>>): ProblemWords {
  if (!(error instanceof ApiError)) {
    const detail = error instanceof Error ? error.message : String(error)
    return { message: words['internal_error'] ?? detail, detail, retryAfterSeconds: null }
  }
  const known = words[error.code]
  const status = error.status > 0 ? ` · HTTP ${error.status}` : ''
  return {
    message: known ?? error.message,
    detail: `${error.code}${status}${known ? ` · ${error.message}` : ''}`,
    retryAfterSeconds: error.retryAfterSeconds,
  }
}
