import type pg from 'pg'

/** What the driver's connection can do and its types leave out. */
type CopyConnection = pg.Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }

/**
 * `copy … from stdin` in the text format, as a query of the driver, which has none: the rows go to the server in one message each
 * way, and no value is parsed twice.
 */
export function copyFrom(client: pg.PoolClient, text: string, rows: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({
      submit: (connection) => connection.query(text),
      handleCopyInResponse(connection: CopyConnection) {
        connection.sendCopyFromChunk(rows)
        connection.endCopyFrom()
      },
      handleCommandComplete() {},
      handleReadyForQuery: () => resolve(),
      // After it the driver asks this query nothing more.
      handleError: reject,
    } as pg.Submittable)
  })
}

const SPECIAL = /[\\\t\n\r]/
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** One value of a row of `copy`; null is `\N`. */
export function copyValue(value: string | number | bigint | null): string {
  if (value === null) return '\\N'
  if (typeof value !== 'string') return `${value}`
  return SPECIAL.test(value) ? value.replace(/[\\\t\n\r]/g, (special) => ESCAPES[special] ?? '') : value
}
