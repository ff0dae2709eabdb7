/**
 * One ready-made header line, ending in CRLF. Refuses what could break out of the line: CR, LF, NUL and other control
 * characters, and everything above U+00FF, which latin1 would silently truncate into one of those.
 */
export function headerLine(name: string, value: string): string {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw new TypeError('Invalid header name.')
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw new TypeError(`Invalid character in the value of header ${name}.`)
  return `${name}: ${value}\r\n`
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

const statusLines = new Map<number, string>()

/** `HTTP/1.1 200 OK` with its CRLF. */
export function statusLine(status: number): string {
  let line = statusLines.get(status)
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${REASONS[status] ?? 'Status'}\r\n`
    statusLines.set(status, line)
  }
  return line
}
