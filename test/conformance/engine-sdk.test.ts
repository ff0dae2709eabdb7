import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { countChatPrompt, createTokenizer } from '#metering'
import OpenAI, { APIUserAbortError, BadRequestError, NotFoundError } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** The engine as its supervisor runs it, asked by the unmodified official SDK. */
const ENGINE = fileURLToPath(new URL('../../src/apps/engine.ts', import.meta.url))
const MODELS = fileURLToPath(new URL('../../models', import.meta.url))
let child: ChildProcess
let openai: OpenAI

function startEngine(): ChildProcess {
  return fork(ENGINE, [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ENGINE_PORT: '0', LOG_LEVEL: 'warn' },
  })
}

async function portOf(engine: ChildProcess): Promise<number> {
  const [message] = (await once(engine, 'message')) as [{ ready: true; port: number }]
  return message.port
}

beforeAll(async () => {
  child = startEngine()
  openai = new OpenAI({ baseURL: `http://127.0.0.1:${await portOf(child)}/v1`, apiKey: 'none', maxRetries: 0 })
})

afterAll(async () => {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
})

const model = 'babbler'
const messages = [{ role: 'user' as const, content: 'Tell me about transactions.' }]

test('the SDK lists the model', async () => {
  const ids: string[] = []
  for await (const listed of openai.models.list()) ids.push(listed.id)
  expect(ids).toEqual([model])
  expect((await openai.models.retrieve(model)).object).toBe('model')
})

test('a streamed answer equals the answer in one piece', async () => {
  const asked = { model, messages, seed: 3, max_tokens: 50 }
  const whole = await openai.chat.completions.create(asked)
  const stream = await openai.chat.completions.create({
    ...asked,
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  let usage: OpenAI.CompletionUsage | null | undefined
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage
  }
  expect(text).toBe(whole.choices[0]?.message.content)
  expect(text.length).toBeGreaterThan(50)
  expect(usage?.completion_tokens).toBe(whole.usage?.completion_tokens)
  expect(usage?.prompt_tokens).toBe(whole.usage?.prompt_tokens)
})

test('prompt tokens equal our own count of the chat, for any text', async () => {
  const tokenizer = createTokenizer({ kind: 'gguf', file: 'babbler-q8_0.gguf' }, { modelRoot: MODELS })
  const chats: OpenAI.ChatCompletionMessageParam[][] = [
    messages,
    [
      { role: 'system', content: 'Antworte höflich.' },
      { role: 'user', content: '你好 🙂 <|end|>\n\n  x' },
    ],
    [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b c' },
        ],
      },
    ],
    [
      { role: 'user', content: 'What time is it?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'now', arguments: '{"zone":"CET"}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'noon' },
    ],
  ]
  for (const chat of chats) {
    const { usage } = await openai.chat.completions.create({ model, messages: chat, max_tokens: 1 })
    expect(usage?.prompt_tokens).toBe(countChatPrompt(tokenizer, chat))
  }
})

test('completion tokens are close to our own count of the answer: sampling may spell a word in more tokens than it needs', async () => {
  const tokenizer = createTokenizer({ kind: 'gguf', file: 'babbler-q8_0.gguf' }, { modelRoot: MODELS })
  const answer = await openai.chat.completions.create({ model, messages, seed: 4, max_tokens: 300, temperature: 0.3 })
  const counted = tokenizer.count(answer.choices[0]?.message.content ?? '')
  const reported = answer.usage?.completion_tokens ?? 0
  expect(counted).toBeLessThanOrEqual(reported)
  expect(counted).toBeGreaterThan(reported * 0.9)
})

test('structured output and tool calls parse with the SDK', async () => {
  const parsed = await openai.chat.completions.parse({
    model,
    messages,
    seed: 1,
    response_format: {
      type: 'json_schema',
      json_schema: {
        name: 'x',
        strict: true,
        schema: {
          type: 'object',
          properties: { topic: { type: 'string' } },
          required: ['topic'],
          additionalProperties: false,
        },
      },
    },
  })
  expect(parsed.choices[0]?.message.parsed).toEqual({ topic: expect.any(String) })
  const stream = openai.chat.completions.stream({
    model,
    messages,
    seed: 1,
    tools: [
      {
        type: 'function',
        function: {
          name: 'look_up',
          parameters: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
        },
      },
    ],
    tool_choice: 'required',
  })
  const final = await stream.finalChatCompletion()
  const [call] = final.choices[0]?.message.tool_calls ?? []
  expect(final.choices[0]?.finish_reason).toBe('tool_calls')
  expect(call).toMatchObject({ type: 'function', id: expect.stringMatching(/^call_/), function: { name: 'look_up' } })
  expect(JSON.parse(call?.type === 'function' ? call.function.arguments : '')).toEqual({ id: expect.any(Number) })
})

test("errors arrive as the SDK's own classes", async () => {
  await expect(openai.chat.completions.create({ model: 'none', messages })).rejects.toThrow(NotFoundError)
  await expect(openai.chat.completions.create({ model, messages, n: 2 })).rejects.toThrow(BadRequestError)
  const long = openai.chat.completions.create({ model, messages: [{ role: 'user', content: 'word '.repeat(5000) }] })
  await expect(long).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' })
})

test('the SDK can break a stream off', async () => {
  const stream = await openai.chat.completions.create({ model, messages, stream: true, max_tokens: 1500 })
  let seen = 0
  try {
    for await (const _ of stream) if (++seen === 3) stream.controller.abort()
  } catch (error) {
    expect(error).toBeInstanceOf(APIUserAbortError)
  }
  expect(seen).toBeGreaterThanOrEqual(3)
  expect((await openai.chat.completions.create({ model, messages, max_tokens: 2 })).usage?.completion_tokens).toBe(2)
})

test('many callers at once are all served', async () => {
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, seed) => openai.chat.completions.create({ model, messages, seed, max_tokens: 20 })),
  )
  expect(new Set(answers.map(({ id }) => id)).size).toBe(24)
  const again = await openai.chat.completions.create({ model, messages, seed: 7, max_tokens: 20 })
  expect(again.choices[0]?.message.content).toBe(answers[7]?.choices[0]?.message.content)
})

test('an engine whose supervisor is gone ends by itself', async () => {
  const orphan = startEngine()
  await portOf(orphan)
  const exited = once(orphan, 'exit')
  orphan.disconnect()
  expect(await exited).toEqual([0, null])
})

test('without a supervisor the engine says where it listens', async () => {
  const alone = spawn(process.execPath, [ENGINE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ENGINE_PORT: '0', ENGINE_MODEL: 'mine', LOG_LEVEL: 'warn' },
  })
  const exited = once(alone, 'exit')
  const [line] = (await once(createInterface(alone.stdout), 'line')) as [string]
  const port = /127\.0\.0\.1:(\d+)\/v1$/.exec(line)?.[1] ?? 'none'
  expect(await (await fetch(`http://127.0.0.1:${port}/health`)).json()).toMatchObject({ status: 'ok', model: 'mine' })
  alone.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
})

test('a model file that cannot be loaded is named, and the engine ends', async () => {
  const env = { ...process.env, MODEL_FILE: '/absent/model.gguf', LOG_LEVEL: 'silent' }
  const broken = spawn(process.execPath, [ENGINE], { stdio: ['ignore', 'ignore', 'pipe'], env })
  const exited = once(broken, 'exit')
  let complaint = ''
  for await (const piece of broken.stderr) complaint += String(piece)
  expect(await exited).toEqual([1, null])
  expect(complaint).toMatch(/^engine: MODEL_FILE=\/absent\/model\.gguf cannot be loaded: .+\n$/)
})
