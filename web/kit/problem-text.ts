import { ApiError } from './api.ts'
import { dictionary } from './language.tsx'

/** What a refusal means to the person in front of the screen, by its code. An unknown code falls back to the server's detail. */
export const problemText = dictionary(
  {
    network_unreachable: '连不上控制面，请检查网络或服务是否在运行',
    gateway_unreachable: '连不上网关，请检查网关是否在运行，以及浏览器能否访问该地址',
    reply_not_understood: '服务端的应答与约定不符',
    stream_cut: '回答在中途断开，供应方故障不计费',
    not_signed_in: '请先登录',
    wrong_credentials: '邮箱或密码不正确',
    too_many_attempts: '登录尝试次数过多，请稍后再试',
    too_many_keys: '有效密钥数量已达上限：请先吊销不用的密钥；试用台密钥会在几分钟内自动失效',
    operators_only: '仅运营人员可以进行此操作',
    foreign_request: '请求来自其他站点，或主机名不在允许之列',
    unknown_path: '没有这个地址',
    unknown_route: '没有这个地址',
    unknown_request: '没有这个请求编号，或不在你的可见范围内；刚结束的请求可能还没入账',
    unknown_tenant: '没有这个租户',
    unknown_key: '没有这个密钥，或不在你的可见范围内',
    account_exists: '该邮箱已有账号',
    expiry_in_the_past: '到期时间已经过去',
    topup_reused: '该付款编号已用于另一笔充值，金额或租户不同',
    posting_key_reused: '该编号已用于另一笔记账',
    invalid_amount: '金额不正确',
    invalid_request: '请求内容不符合要求',
    malformed_json: '请求不是合法的 JSON',
    not_json: '请求必须是 JSON',
    body_too_large: '请求内容过大',
    request_too_large: '请求内容过大',
    internal_error: '服务端出现内部错误',
    not_ready: '网关还没有就绪，请稍后重试',
    method_not_allowed: '该地址不支持这种方法',
    invalid_api_key: 'API 密钥无效、已吊销或已过期',
    tenant_suspended: '租户已停用',
    insufficient_balance: '余额不足，请先充值',
    account_restricted: '账户欠费：仅可使用已付费的词元包与预留吞吐',
    spend_cap_reached: '已达到密钥、项目或租户的消费上限，到期自动恢复',
    reservation_exhausted: '本周期的预留吞吐不足以承担该请求，请稍后重试',
    means_exhausted: '账户的词元包与预留吞吐不足以承担该请求',
    rate_limit_exceeded: '请求过于频繁，已超过限额',
    request_above_token_limit: '单个请求超过了每分钟词元限额',
    charging_unavailable: '计费暂时不可用，请稍后重试',
    too_many_waiting: '等待额度的请求过多，请稍后重试',
    model_not_found: '没有这个服务，或该租户无权使用',
    max_tokens_too_large: '最多输出词元超过该服务的上限',
    context_length_exceeded: '输入超出该服务的上下文长度',
    unsupported_modality: '该服务不支持这种内容',
    unsupported_encoding: '不支持这种编码',
    price_missing: '该服务当前没有有效价目',
    no_supplier_available: '当前没有可用的供应商，请稍后重试',
    supplier_busy: '供应商繁忙，请稍后重试',
    engine_busy: '推理引擎繁忙，请稍后重试',
    supplier_failed: '供应商出现故障，本次不计费',
    supplier_refused: '供应商拒绝了这个请求',
    answer_cut: '回答在中途断开，本次不计费',
    timeout: '供应商超时，本次不计费',
  },
  {
    network_unreachable: 'The control plane cannot be reached. Check the network and that it is running.',
    gateway_unreachable:
      'The gateway cannot be reached. Check that it is running and that this browser can reach its address.',
    reply_not_understood: 'The server answered something that is not in the contract.',
    stream_cut: 'The answer was cut off midway. A failure on our side is not charged.',
    not_signed_in: 'Please sign in first.',
    wrong_credentials: 'The email or the password is wrong.',
    too_many_attempts: 'Too many sign-in attempts. Wait a moment and try again.',
    too_many_keys:
      'There are as many working keys as there may be. Revoke unused ones; playground keys expire within minutes.',
    operators_only: 'Only operators may do that.',
    foreign_request: 'The request comes from another site, or under a host name that is not allowed.',
    unknown_path: 'There is no such address.',
    unknown_route: 'There is no such address.',
    unknown_request: 'No such request, or not yours to see. One that has just ended may not be posted yet.',
    unknown_tenant: 'There is no such tenant.',
    unknown_key: 'There is no such key, or it is not yours to see.',
    account_exists: 'This email already has an account.',
    expiry_in_the_past: 'The expiry has already passed.',
    topup_reused: 'This payment reference was used for another top-up, with another amount or tenant.',
    posting_key_reused: 'This reference was used for another posting.',
    invalid_amount: 'The amount is not valid.',
    invalid_request: 'The request is not valid.',
    malformed_json: 'The request is not valid JSON.',
    not_json: 'The request must be JSON.',
    body_too_large: 'The request is too large.',
    request_too_large: 'The request is too large.',
    internal_error: 'The server had an internal error.',
    not_ready: 'The gateway is not ready yet. Try again shortly.',
    method_not_allowed: 'This address does not support that method.',
    invalid_api_key: 'The API key is unknown, revoked or expired.',
    tenant_suspended: 'The tenant is suspended.',
    insufficient_balance: 'The balance does not suffice. Top up first.',
    account_restricted:
      'The account is in arrears: only token packages and reservations that are paid for can be used.',
    spend_cap_reached: 'A spend cap of the key, project or tenant is reached. It resets by itself.',
    reservation_exhausted: 'What is left of the reserved throughput does not cover this request. Try again shortly.',
    means_exhausted: 'The token packages and reservations of this account do not cover this request.',
    rate_limit_exceeded: 'Too many requests: a rate limit was reached.',
    request_above_token_limit: 'This one request exceeds the tokens-per-minute limit.',
    charging_unavailable: 'Charging is not available right now. Try again shortly.',
    too_many_waiting: 'Too many requests are waiting for funds. Try again shortly.',
    model_not_found: 'There is no such service, or this tenant may not use it.',
    max_tokens_too_large: 'The output limit is above what this service allows.',
    context_length_exceeded: 'The input is longer than the context of this service.',
    unsupported_modality: 'This service does not support that kind of content.',
    unsupported_encoding: 'This encoding is not supported.',
    price_missing: 'This service has no valid price right now.',
    no_supplier_available: 'No supplier is available right now. Try again shortly.',
    supplier_busy: 'The supplier is busy. Try again shortly.',
    engine_busy: 'The inference engine is busy. Try again shortly.',
    supplier_failed: 'The supplier failed. Nothing is charged.',
    supplier_refused: 'The supplier refused this request.',
    answer_cut: 'The answer was cut off midway. Nothing is charged.',
    timeout: 'The supplier timed out. Nothing is charged.',
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
