/** Requests that anybody could make: every endpoint with good and odd values, and paths that are none. */
import * as fc from 'fast-check'

export interface Asked {
  method: string
  /** With its query. */
  path: string
  headers: Record<string, string>
  body: string | undefined
}

const ODD = [
  '..',
  '.',
  '%2e%2e%2f',
  '%00',
  '%',
  '%ff',
  '__proto__',
  'constructor',
  'system',
  '*',
  'a b',
  '"',
  '<script>',
  '{1}',
  'dm:a:b',
  'dm:b:a',
  'group:__proto__',
  'channel:lobby',
  'channel:lobby:x',
  '00000000-0000-4000-8000-000000000000',
  '9007199254740992-1',
  '0-0',
  '-1',
  '1e9',
  '0x10',
  'NaN',
  '101',
  'x'.repeat(65),
  'ſ',
  '\ud83d\ude00',
  "'; FLUSHALL",
  '\r\nX-Injected: 1',
]

const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/jsonx',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
]
const FIELDS = [
  'id',
  'password',
  'name',
  'avatar',
  'refreshToken',
  'users',
  'members',
  'join',
  'history',
  'to',
  'body',
  'ref',
  'user',
  'ttl',
  'from',
  '__proto__',
]
const QUERIES = ['ids', 'q', 'users', 'cursor', 'limit', 'before', 'after', 'at', '__proto__', '']

/**
 * @param known.endpoints as `GET /groups/{id}`  @param known.values that mean something here, such as ids
 * @param known.bearers what may be shown at the door, nothing among them
 */
export function asked(known: {
  endpoints: readonly string[]
  values: readonly string[]
  bearers: readonly (string | undefined)[]
}): fc.Arbitrary<Asked> {
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known.values) },
    { weight: 2, arbitrary: fc.constantFrom(...ODD) },
    fc.string({ unit: 'binary', maxLength: 30 }),
  )
  const pathOf = (endpoint: string) => {
    const parts = endpoint.split(/\{\w+\}/)
    return fc
      .array(value, { minLength: parts.length - 1, maxLength: parts.length - 1 })
      .map((values) =>
        parts.map((part, n) => part + (n < values.length ? encodeOdd(values[n]!) : '')).join(''),
      )
  }
  const target = fc.oneof(
    {
      weight: 9,
      arbitrary: fc.constantFrom(...known.endpoints).chain((endpoint) => {
        const [method = '', path = ''] = endpoint.split(' ')
        return fc.tuple(fc.constant(method), pathOf(path))
      }),
    },
    fc.tuple(
      fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'),
      fc.oneof(
        fc.constantFrom(...known.endpoints).chain((endpoint) => pathOf(endpoint.split(' ')[1]!)),
        value.map((odd) => `/${encodeOdd(odd)}`),
      ),
    ),
  )
  const query = fc
    .array(fc.tuple(fc.constantFrom(...QUERIES), value), { maxLength: 3 })
    .map((pairs) => pairs.map(([name, odd]) => `${name}=${encodeOdd(odd)}`).join('&'))
  const json = fc.oneof(
    fc.dictionary(
      fc.constantFrom(...FIELDS),
      fc.oneof(value, fc.jsonValue({ maxDepth: 3 }), fc.array(value, { maxLength: 3 })),
      { maxKeys: 5 },
    ),
    fc.jsonValue(),
  )
  const body = fc.oneof(
    { weight: 6, arbitrary: json.map((sent) => JSON.stringify(sent)) },
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom('', '{', '[]', 'null', '['.repeat(10_000), `"${'x'.repeat(70_000)}"`),
  )
  const headers = fc.record({
    bearer: fc.constantFrom(...known.bearers),
    type: fc.option(fc.constantFrom(...CONTENT_TYPES), { freq: 8, nil: undefined }),
    origin: fc.option(fc.constantFrom('null', 'https://evil.example', 'http://gateway', ':', ''), {
      freq: 1,
      nil: undefined,
    }),
    tag: fc.option(fc.constantFrom('*', '"', ' , , ,'), { freq: 1, nil: undefined }),
  })
  return fc
    .tuple(target, query, headers, body)
    .map(([[method, path], asks, { bearer, type, origin, tag }, sent]) => ({
      method,
      path: asks === '' ? path : `${path}?${asks}`,
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        'content-type': type ?? 'application/json',
        ...(origin !== undefined && { origin }),
        ...(tag !== undefined && { 'if-none-match': tag }),
      },
      body: method === 'GET' || method === 'HEAD' ? undefined : sent,
    }))
}

/** Encoded, unless it is about encoding: then as it is, without what would end the request line. */
const encodeOdd = (text: string) =>
  text.includes('%') ? text.replace(/[^\x21-\x7e]/g, '') : encodeURIComponent(text.toWellFormed())
