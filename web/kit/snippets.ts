/** A chat request as it goes over the wire. */
export interface ChatBody {
  readonly model: string
  readonly messages: ReadonlyArray<{ readonly role: 'system' | 'user'; readonly content: string }>
  readonly stream?: boolean
  readonly max_tokens?: number
  readonly temperature?: number
  readonly stream_options?: { readonly include_usage: boolean }
}

interface SnippetInput {
  readonly gatewayUrl: string
  readonly key: string
  readonly body: ChatBody
}

/** A command that a POSIX shell runs as it stands, whatever the prompt contains. */
export function curlSnippet({ gatewayUrl, key, body }: SnippetInput): string {
  return [
    `curl${body.stream ? ' -N' : ''} ${quoteForShell(`${gatewayUrl}/chat/completions`)} \\`,
    `  -H ${quoteForShell(`Authorization: Bearer ${key}`)} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${quoteForShell(JSON.stringify(body, null, 2))}`,
  ].join('\n')
}

/** The same call with the official SDK for Node. */
export function sdkSnippet({ gatewayUrl, key, body }: SnippetInput): string {
  const ending = body.stream
    ? ['for await (const chunk of answer) {', `  process.stdout.write(chunk.choices[0]?.delta.content ?? '')`, '}']
    : ['console.log(answer.choices[0].message.content)']
  return [
    `import OpenAI from 'openai'`,
    '',
    `const client = new OpenAI({`,
    `  baseURL: ${JSON.stringify(gatewayUrl)},`,
    `  apiKey: ${JSON.stringify(key)},`,
    `})`,
    '',
    `const answer = await client.chat.completions.create(${JSON.stringify(body, null, 2)})`,
    ...ending,
  ].join('\n')
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll(`'`, `'\\''`)}'`
}
