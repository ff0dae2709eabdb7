import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import type { z } from 'zod'
import { SessionReply } from '#contract'
import type { SignInRequest } from '#contract'
import { post } from '../../kit/api.ts'
import { Mark } from '../../kit/icons.tsx'
import { useText } from '../../kit/language.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { LanguageSwitch } from './language-switch.tsx'
import { shellText } from './text.ts'

export function SignIn() {
  const text = useText(shellText)
  const queries = useQueryClient()
  const signIn = useMutation({
    mutationFn: (request: z.infer<typeof SignInRequest>) => post('/session', SessionReply, request),
    onSuccess: (session) => {
      // Nothing that another person's session has read may be shown to this one.
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' })
      queries.setQueryData(['session'], session)
    },
  })
  return (
    <div className="sign-in">
      <div className="sign-in-side">
        <div className="brand">
          <Mark size={30} />
          <span>
            {text.product}
            <small>{text.productNote}</small>
          </span>
        </div>
        <div>
          <p>{text.promise}</p>
          <ul>
            {text.promises.map((promise) => (
              <li key={promise}>{promise}</li>
            ))}
          </ul>
        </div>
        <span />
      </div>
      <main className="sign-in-main">
        <LanguageSwitch />
        <div className="sign-in-form">
          <h1>{text.signIn}</h1>
          {signIn.isError && <ProblemNotice error={signIn.error} />}
          <Form
            layout="vertical"
            requiredMark={false}
            onFinish={(request: z.infer<typeof SignInRequest>) => signIn.mutate(request)}
          >
            <Form.Item name="email" label={text.email} rules={[{ required: true, message: text.emailMissing }]}>
              <Input type="text" inputMode="email" autoComplete="username" maxLength={254} autoFocus />
            </Form.Item>
            <Form.Item
              name="password"
              label={text.password}
              rules={[{ required: true, message: text.passwordMissing }]}
            >
              <Input.Password autoComplete="current-password" maxLength={1024} />
            </Form.Item>
            <Button type="primary" htmlType="submit" block loading={signIn.isPending}>
              {text.submit}
            </Button>
          </Form>
        </div>
      </main>
    </div>
  )
}
