import fc from 'fast-check'

// Valid and near-valid messages as latin1 text. Odd variants are rare enough that many messages are accepted.

const often = <T>(usual: readonly T[], odd: readonly T[], weight = 14) =>
  fc.oneof({ weight, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) })

const lineEnd = often(['\r\n'], ['\n', '\r', '\r\r\n', '\n\r', ''], 100)
const blank = often([' '], ['', '\t', '  ', ' \t ', '\x0b', '\xa0'], 40)
const token = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}$/)
const text = fc.stringMatching(/^[\t -~]{0,24}$/).map((value) => value.trim())
const latin1 = fc.stringMatching(/^[ -~\x80-\xff]{0,12}$/).map((value) => value.trim())

const field = fc.oneof(
  {
    weight: 24,
    arbitrary: fc.tuple(token, fc.oneof(text, latin1)).map(([name, value]) => [`X-${name}`, value] as const),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ['Accept', '*/*'] as const,
      ['Authorization', 'Bearer tf-0'] as const,
      ['Content-Type', 'application/json'] as const,
      ['Cookie', 'a=1; b=2'] as const,
      ['Connection', 'keep-alive'] as const,
      ['Connection', 'close'] as const,
      ['Connection', 'Keep-Alive, X-A'] as const,
      ['Connection', 'upgrade'] as const,
      ['Upgrade', 'h2c'] as const,
      ['Expect', '100-continue'] as const,
      ['Trailer', 'X-T'] as const,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ['Expect', 'something'] as const,
      ['X Y', 'space in the name'] as const,
      ['X-Null', 'a\0b'] as const,
      ['X-Bell', '\x07'] as const,
      ['X-Del', '\x7f'] as const,
      ['X-Fold', 'a\r\n b'] as const,
      ['', 'no name'] as const,
      ['X-N\xe9', 'name above 127'] as const,
      ['Content-Length', '0'] as const,
      ['Transfer-Encoding', 'chunked'] as const,
    ),
  },
)

const fieldLine = fc
  .tuple(field, often([''], [' ', '\t'], 60), blank, often([''], [' ', '\t '], 10), lineEnd)
  .map(([[name, value], before, after, trailing, end]) => `${name}${before}:${after}${value}${trailing}${end}`)

const payload = fc.oneof(
  fc.stringMatching(/^[ -~]{0,40}$/),
  fc.constantFrom('GET /evil HTTP/1.1\r\nHost: a\r\n\r\n', '0\r\n\r\n', '\r\n\r\n', '{"a":1}'),
)

const chunk = fc
  .tuple(
    payload,
    often(
      [(n: number) => n.toString(16)],
      [
        (n: number) => n.toString(16).toUpperCase(),
        (n: number) => `0${n.toString(16)}`,
        (n: number) => `0000000000${n.toString(16)}`,
        (n: number) => `0x${n.toString(16)}`,
        (n: number) => `${n + 1}`,
        (n: number) => ` ${n.toString(16)}`,
        (n: number) => `${n.toString(16)} `,
        () => '',
        () => 'fffffffffffffffff',
      ],
      60,
    ),
    often(
      ['', '', '', ';a', ';a=b', ';a="b c"', ';a;b=c'],
      [';', ';a=', ' ;a', '; a', ';a="', ';\0', ';a=b c', ';a"b"', ';"a"'],
      60,
    ),
    lineEnd,
    lineEnd,
  )
  .filter(([data]) => data.length > 0)
  .map(([data, size, extension, first, second]) => `${size(data.length)}${extension}${first}${data}${second}`)

const lastChunk = fc
  .tuple(
    often(['0'], ['00', '', '000000000', '0 ', '0;a'], 60),
    lineEnd,
    often(
      [''],
      ['X-T: 1\r\n', 'X-T: 1\r\nX-U: 2\r\n', 'bad\r\n', 'X-T : 1\r\n', 'Content-Length: 5\r\n', 'X: a\nY: b\r\n'],
      6,
    ),
    lineEnd,
  )
  .map((parts) => parts.join(''))

const chunkedBody = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), lastChunk)
  .map(([chunks, last]) => chunks.join('') + last)

/** Framing field and body that mostly belong together. */
const framedBody = fc.oneof(
  { weight: 3, arbitrary: fc.constant(['', ''] as const) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        payload,
        often(
          [(n: number) => `${n}`],
          [
            (n: number) => `+${n}`,
            (n: number) => `0${n}`,
            (n: number) => `${n},${n}`,
            (n: number) => `${n} `,
            (n: number) => `0x${n.toString(16)}`,
            (n: number) => `${n + 3}`,
            (n: number) => `${Math.max(0, n - 1)}`,
            (n: number) => `${n}\r\nContent-Length: ${n}`,
            () => '',
            () => '99999999999999999999',
          ],
          40,
        ),
      )
      .map(([body, length]) => [`Content-Length: ${length(body.length)}\r\n`, body] as const),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        often(
          ['chunked'],
          [
            'Chunked',
            'chunked, chunked',
            'gzip, chunked',
            'identity',
            'chunked;q=1',
            'xchunked',
            ' chunked ',
            'chunked\r\nContent-Length: 3',
          ],
          50,
        ),
        chunkedBody,
      )
      .map(([coding, body]) => [`Transfer-Encoding: ${coding}\r\n`, body] as const),
  },
)

const requestText = fc
  .tuple(
    often(
      ['GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'],
      ['get', 'TRACE', 'CONNECT', 'FOO', 'G T', '', 'POSTX'],
      40,
    ),
    blank,
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc.stringMatching(/^\/[a-zA-Z0-9_.~%!$&'()*+,;=:@/-]{0,20}(\?[a-z0-9=&%[\]|{}?/]{0,12})?$/),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '*',
          'http://a/x',
          'a:80',
          '/a#b',
          '/\xe9',
          '/a\\b',
          '/"',
          '/\x7f',
          '',
          '/a b',
          '//x',
        ),
      },
    ),
    blank,
    often(
      ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'],
      ['HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/11', '', 'HTTP/0.9', 'HTP/1.1'],
      50,
    ),
    lineEnd,
    often(
      ['Host: a\r\n', 'host: example.com:8080\r\n', 'HOST:[::1]:80\r\n'],
      ['', 'Host: a\r\nHost: b\r\n', 'Host:\r\n', 'Host: a b\r\n', 'Host : a\r\n'],
      40,
    ),
    fc.array(fieldLine, { maxLength: 5 }),
    framedBody,
    lineEnd,
  )
  .map(([method, b1, target, b2, version, e1, host, fields, [framing, body], e2]) =>
    [method, b1, target, b2, version, e1, host, ...fields, framing, e2, body].join(''),
  )

const responseText = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: fc.constant('') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'),
      },
    ),
    often(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'], ['HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/11', '', 'ICY'], 50),
    blank,
    often(
      ['200', '200', '200', '204', '304', '429', '500', '404', '201'],
      ['20', '2000', '0200', '+200', '099', '101', 'abc', '600', '999', ''],
      50,
    ),
    often([' OK', ' ', ' Some thing', ''], ['  ', ' a\0', ' \xe9', '\tOK', ' a\rb'], 40),
    lineEnd,
    fc.array(fieldLine, { maxLength: 5 }),
    framedBody,
    lineEnd,
  )
  .map(([interim, version, b, status, reason, e1, fields, [framing, body], e2]) =>
    [interim, version, b, status, reason, e1, ...fields, framing, e2, body].join(''),
  )

/** Random damage to single bytes. */
const damage = fc.oneof(
  { weight: 8, arbitrary: fc.constant([]) },
  {
    weight: 2,
    arbitrary: fc.array(
      fc.record({
        where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        drop: fc.nat(1),
        put: fc.constantFrom(
          '',
          '\0',
          '\r',
          '\n',
          '\t',
          ' ',
          ':',
          ';',
          ',',
          '\x0b',
          '\x7f',
          '\x80',
          'a',
          '0',
          '\r\n',
          '"',
        ),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  },
)

const cuts = fc.oneof(
  fc.constant([] as number[]),
  fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 5 }),
)

/** A run of bytes and the places where it is split into separate reads. */
function delivered(messages: fc.Arbitrary<string>, maxLength: number) {
  return fc.tuple(fc.array(messages, { minLength: 1, maxLength }), damage, cuts).map(([parts, damages, places]) => {
    let bytes = parts.join('')
    for (const { where, drop, put } of damages) {
      const at = Math.floor(where * (bytes.length + 1))
      bytes = bytes.slice(0, at) + put + bytes.slice(at + drop)
    }
    const ends = [...new Set(places.map((place) => Math.floor(place * bytes.length)))].sort((a, b) => a - b)
    return [...ends, bytes.length]
      .map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1]!, end))
      .filter((piece) => piece.length > 0)
  })
}

/** One to three pipelined requests, in pieces. */
export const anyRequests = delivered(requestText, 3)
/** One response, in pieces. */
export const anyResponse = delivered(responseText, 1)
