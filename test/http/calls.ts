import type { CallOptions, ClientFailure, HttpClient } from '#platform/http'

export interface Outcome {
  readonly kind: 'end' | ClientFailure['kind']
  readonly status: number
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly body: string
  readonly reused: boolean
}

/** One call to its end, as data. */
export function call(client: HttpClient, options: Partial<CallOptions> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    let status = 0
    let headers: Outcome['headers'] = []
    let body = ''
    client.send(
      { method: 'POST', target: '/x', head: '', body: [], ...options },
      {
        onHead(code, view) {
          status = code
          headers = view.entries()
        },
        onData(piece) {
          body += piece.toString('latin1')
        },
        onEnd: () => resolve({ kind: 'end', status, headers, body, reused: false }),
        onFailure: ({ kind, reused }) => resolve({ kind, status, headers, body, reused }),
      },
    )
  })
}
