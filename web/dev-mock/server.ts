import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import * as z from 'zod'
import {
  BalanceView,
  ConversionTable,
  CorrectionView,
  CreateKeyRequest,
  DocumentReply,
  DrainPreview,
  DrainRequest,
  DrainView,
  DocumentView,
  ExplainReply,
  InfoReply,
  KeyView,
  LineRequestView,
  LivePoint,
  MeansReply,
  NocReply,
  NewKey,
  OfferView,
  OrderRequest,
  OrderView,
  PaymentView,
  PlaygroundKeyReply,
  PostingView,
  QuoteRequest,
  QuoteView,
  ReconcileReply,
  ReconcileRequest,
  RequestRow,
  ServiceView,
  SessionReply,
  SignInRequest,
  SubscriptionView,
  SupplierView,
  TenantView,
  TopupRequest,
  UndrainRequest,
  UsageRow,
  VerifyReply,
} from '#contract'
import { NO_TOKENS, parseYuan } from '#kernel'
import { createMockCommerce } from './commerce.ts'
import { createMockNoc } from './noc.ts'
import { createMockFactory, livePoints, rowOf, usageRows } from './data.ts'

/**
 * Stands in for the control plane and the gateway while the console is developed and in its browser tests: one port, invented
 * data, replies checked against the contract before they leave. It enforces nothing that the real ones enforce.
 */
export interface MockServer {
  readonly url: string
  /** Answers every read with this status until it is set to null. */
  failing: number | null
  /** Called when a browser hangs up in the middle of an answer. */
  onHangUp: () => void
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
/** What the console is promised to work under. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
const ANSWER =
  '词元是模型读写文本的最小单位，一个词元通常是一个字、一个词或其中一段。 A token is the unit a model reads and writes; usage is metered and charged in tokens. '

export async function startMockServer({
  distFolder,
  nowMs,
  port = 0,
}: {
  readonly distFolder: string
  readonly nowMs: () => number
  readonly port?: number
}): Promise<MockServer> {
  const factory = createMockFactory(7, nowMs())
  const commerce = createMockCommerce(nowMs())
  const noc = createMockNoc(
    factory.suppliers,
    factory.services.map(({ id }) => id),
  )
  let session: z.infer<typeof SessionReply> | null = null
  let refusalsOfNewKey = 0
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      console.error(error)
      if (!response.headersSent) refuse(response, 500, 'internal_error', String(error))
    })
  })
  const mock: MockServer = {
    url: '',
    failing: null,
    onHangUp: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://mock')
    if (url.pathname.startsWith('/api/v1/')) return api(request, response, url)
    if (url.pathname === '/v1/chat/completions') return chat(request, response)
    const file = join(distFolder, normalize(url.pathname === '/' ? '/index.html' : url.pathname))
    if (!file.startsWith(distFolder) || !existsSync(file)) return void response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
    })
    createReadStream(file).pipe(response)
  }

  async function api(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname.slice('/api/v1'.length)
    const body = request.method === 'POST' ? await readJson(request) : null
    const answer = <Reply>(schema: z.ZodType<Reply>, reply: NoInfer<Reply>) => json(response, 200, schema.parse(reply))
    if (path === '/session' && request.method === 'POST') {
      const { email, password } = SignInRequest.parse(body)
      if (password !== 'correct horse') return refuse(response, 401, 'wrong_credentials', 'Wrong email or password.')
      session = email.startsWith('operator')
        ? { email, role: 'operator', tenant: null, supplier: null }
        : { email, role: 'tenant', tenant: 'acme', supplier: null }
      return answer(SessionReply, session)
    }
    if (path === '/session' && request.method === 'DELETE') {
      session = null
      return void response.writeHead(204).end()
    }
    if (!session) return refuse(response, 401, 'not_signed_in', 'Sign in.')
    if (path === '/session') return answer(SessionReply, session)
    if (mock.failing !== null) return refuse(response, mock.failing, 'internal_error', 'A failure that was asked for.')

    const tenant = session.tenant ?? url.searchParams.get('tenant')
    const requests =
      tenant === null ? factory.requests : factory.requests.filter(({ record }) => record.tenant === tenant)
    const explained = factory.requests.find(({ record }) => path === `/requests/${record.id}`)
    if (explained) return answer(ExplainReply, explained)
    const revoked = factory.keys.find(({ id }) => path === `/keys/${id}/revoke`)
    if (revoked) {
      revoked.status = 'revoked'
      return answer(KeyView, revoked)
    }
    const [, supplier = '', act] = /^\/suppliers\/([^/]+)\/(drain|undrain)$/.exec(path) ?? []
    if (act === 'undrain') {
      const view = noc.undrain(supplier, UndrainRequest.parse(body).reason, nowMs())
      return view ? answer(DrainView, view) : refuse(response, 409, 'not_drained', `${supplier} is in service.`)
    }
    if (act === 'drain' && body === null) return answer(DrainPreview, noc.preview(supplier))
    if (act === 'drain') return answer(DrainView, noc.drain(supplier, DrainRequest.parse(body).reason, nowMs()))
    switch (`${request.method ?? 'GET'} ${path}`) {
      case 'GET /noc':
        return answer(NocReply, noc.view(nowMs()))
      case 'GET /info':
        return answer(InfoReply, { version: '0.1.0', schemaVersion: '0003', gatewayUrl: `${mock.url}/v1` })
      case 'GET /tenants':
        return answer(z.array(TenantView), factory.tenants)
      case 'GET /suppliers':
        return answer(z.array(SupplierView), [...factory.suppliers])
      case 'GET /services':
        return answer(
          z.array(ServiceView),
          factory.services.map((service) => ({
            ...service,
            deployments: session?.role === 'operator' ? service.deployments : [],
          })),
        )
      case 'GET /usage':
        return answer(z.array(UsageRow), [...usageRows(requests, url.searchParams.get('by') ?? 'service')])
      case 'GET /usage/live':
        return answer(z.array(LivePoint), [...livePoints(requests, Number(url.searchParams.get('minutes')), nowMs())])
      case 'GET /requests':
        return answer(z.array(RequestRow), requests.slice(0, Number(url.searchParams.get('limit'))).map(rowOf))
      case 'GET /keys':
        return answer(
          z.array(KeyView),
          factory.keys.filter((key) => tenant === null || key.tenant === tenant),
        )
      case 'GET /ledger': {
        const postings = factory.postings.filter(
          ({ entries }) => tenant === null || entries.some(({ account }) => account === `2000:${tenant}`),
        )
        const from = postings.findIndex(({ id }) => id === url.searchParams.get('before')) + 1
        return answer(z.array(PostingView), postings.slice(from, from + Number(url.searchParams.get('limit'))))
      }
      case 'GET /balance':
        return answer(BalanceView, balanceOf(tenant ?? ''))
      case 'POST /topups': {
        const { tenant: payer, amountYuan, reference } = TopupRequest.parse(body)
        factory.topUp(payer, parseYuan(amountYuan), reference, nowMs())
        return answer(BalanceView, balanceOf(payer))
      }
      case 'POST /keys': {
        const asked = CreateKeyRequest.parse(body)
        return answer(
          NewKey,
          factory.createKey(asked.tenant, asked.name, asked.expiresAtMs ?? null, asked.limits ?? {}),
        )
      }
      case 'GET /means':
        return answer(MeansReply, commerce.means(tenant ?? ''))
      case 'GET /corrections':
        return answer(z.array(CorrectionView), [])
      case 'GET /tables':
        return answer(z.array(ConversionTable), [...commerce.tables])
      case 'GET /offers':
        return answer(z.array(OfferView), [...commerce.offers])
      case 'POST /quotes': {
        const asked = QuoteRequest.parse(body)
        return answer(QuoteView, commerce.quote(asked.tenant ?? tenant ?? '', asked.offer, nowMs()))
      }
      case 'POST /orders':
        return answer(OrderView, commerce.order(OrderRequest.parse(body).tenant ?? tenant ?? '', nowMs()))
      case 'GET /orders':
        return answer(z.array(OrderView), commerce.orders)
      case 'GET /subscriptions':
        return answer(z.array(SubscriptionView), commerce.subscriptions)
      case 'GET /invoices':
        return answer(z.array(DocumentView), [commerce.document])
      case 'GET /invoices/doc_1':
        return answer(DocumentReply, commerce.document)
      case 'GET /invoices/doc_1/lines/1/requests':
        return answer(z.array(LineRequestView), [...commerce.lineRequests])
      case 'GET /payments':
        return answer(z.array(PaymentView), [...commerce.payments])
      case 'POST /reconcile':
        return answer(ReconcileReply, commerce.reconcile(ReconcileRequest.parse(body).day ?? '2026-11-24'))
      case 'POST /verify':
        return answer(VerifyReply, verdict())
      case 'POST /playground/key':
        // As with real gateways, the key is not known everywhere at once.
        refusalsOfNewKey = 2
        return answer(PlaygroundKeyReply, {
          secret: 'sk-tf-playground',
          expiresAtMs: nowMs() + 900_000,
          services: factory.services.map(({ id }) => id),
        })
      default:
        return refuse(response, 404, 'unknown_request', `Nothing at ${path}.`)
    }
  }

  function balanceOf(tenant: string): z.infer<typeof BalanceView> {
    const { postedPico, escrowedPico } = factory.tenants.find(({ id }) => id === tenant) ?? {
      postedPico: '0',
      escrowedPico: '0',
    }
    return {
      tenant,
      currency: 'CNY',
      postedPico,
      escrowedPico,
      availablePico: (BigInt(postedPico) - BigInt(escrowedPico)).toString(),
      creditLimitPico: '0',
      paidPico: postedPico,
      giftPico: '0',
      overrunPico: '0',
      tokens: [],
    }
  }

  function verdict(): VerifyReply {
    const names = [
      'every usage record is rated',
      'every record is posted once on each side',
      'every posting sums to zero',
      'every posting equals its records',
      'hash chain intact',
      'wallets equal their entries',
    ]
    return {
      ok: true,
      checks: names.map((name, index) => ({
        name,
        ok: true,
        seen: index < 2 ? factory.requests.length : factory.postings.length,
        disagreements: [],
      })),
    }
  }

  /** Prompts choose the answer: "no money" is refused, "busy" is rate limited, "cut" breaks midway, "forever" never ends. */
  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { model, messages } = z
      .object({ model: z.string(), messages: z.array(z.object({ content: z.string() })) })
      .parse(await readJson(request))
    const prompt = messages.at(-1)?.content ?? ''
    const requestId = (closed: boolean, output: number) =>
      factory.addRequest({
        nowMs: nowMs(),
        tenant: 'acme',
        service: model,
        tokens: { ...NO_TOKENS, uncachedInput: 24, output },
        ttftMs: 60,
        durationMs: 900,
        closed,
      })
    const error = (status: number, code: string, message: string, headers: Record<string, string> = {}) =>
      void response
        .writeHead(status, {
          'content-type': 'application/json',
          'x-request-id': 'req_00000000000000000000000000',
          ...headers,
        })
        .end(JSON.stringify({ error: { message, type: 'error', param: null, code } }))
    if (refusalsOfNewKey-- > 0) return error(401, 'invalid_api_key', 'This API key is not known.')
    if (prompt.includes('no money'))
      return error(402, 'insufficient_balance', 'The balance does not cover this request.')
    if (prompt.includes('busy')) return error(429, 'rate_limit_exceeded', 'Too many requests.', { 'retry-after': '7' })

    const pieces = ANSWER.split(/(?<=[，。 ；])/)
    const forever = prompt.includes('forever')
    const id = requestId(forever, pieces.length)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': id })
    const send = (data: unknown) =>
      response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
    let hungUp = false
    response.on('close', () => {
      hungUp = !response.writableEnded
      if (hungUp) mock.onHangUp()
    })
    for (let index = 0; (forever || index < pieces.length) && !hungUp; index++) {
      send({ choices: [{ index: 0, delta: { content: pieces[index % pieces.length] }, finish_reason: null }] })
      if (prompt.includes('cut') && index === 2) return void response.destroy()
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    if (hungUp) return
    send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    send({ choices: [], usage: { prompt_tokens: 24, completion_tokens: pieces.length } })
    send('[DONE]')
    response.end()
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo
  return Object.assign(mock, { url: `http://127.0.0.1:${bound}` })
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += String(piece)
  return text === '' ? null : JSON.parse(text)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number, code: string, detail: string): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: 'about:blank', title: detail, status, detail, code, retryable: false, params: {} }))
}

if (import.meta.main) {
  const mock = await startMockServer({
    distFolder: join(import.meta.dirname, '../dist'),
    nowMs: () => Date.now(),
    port: 8091,
  })
  console.log(
    `The console with invented data: ${mock.url} (operator@example.com or user@example.com, password "correct horse")`,
  )
}
