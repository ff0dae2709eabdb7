export interface Greeting {
  readonly apiUrl: string
  readonly consoleUrl: string
  readonly adminEmail: string
  readonly passwordFile: string
  /** Only on the first start, when there is no other way to learn it. */
  readonly password: string | undefined
  readonly demoKey: string | undefined
  readonly model: string | undefined
  readonly isShippedModel: boolean
  readonly logs: string | undefined
  readonly seconds: number
}

/** What a person needs to try the factory, and nothing else. */
export function greeting(it: Greeting): string {
  const lines = [
    '',
    `  Token Factory is running (ready after ${it.seconds.toFixed(1)} s)`,
    '',
    `  API         ${it.apiUrl}`,
    `  Console     ${it.consoleUrl}`,
    `  Sign in     ${it.adminEmail} / ${it.password ?? `the password in ${it.passwordFile}`}`,
    `  Demo key    ${it.demoKey ?? 'none: make one in the console or with `npx tokenfactory key create --tenant … --name …`'}`,
  ]
  if (it.demoKey && it.model) {
    const body = JSON.stringify({
      model: it.model,
      messages: [{ role: 'user', content: 'Tell me a story.' }],
      stream: true,
    })
    lines.push(
      '',
      '  Try it:',
      `  curl -N ${it.apiUrl}/chat/completions -H 'Authorization: Bearer ${it.demoKey}' -H 'Content-Type: application/json' -d '${body}'`,
    )
  }
  if (it.isShippedModel) {
    lines.push(
      '',
      '  The answers come from a real but very small model on this CPU: it babbles, it does not know anything. For sense, set',
      '  MODEL_FILE to a GGUF file of yours, or declare an OpenAI-compatible supplier in factory.yaml.',
    )
  }
  lines.push(
    '',
    ...(it.logs ? [`  Logs        ${it.logs}`] : []),
    '  Ctrl-C drains and stops; pressed again, it stops at once.',
    '',
  )
  return lines.join('\n')
}
