/**
 * HTTP between uWebSockets.js and an app that takes a Request and gives a Response. Owns the body on its way in
 * (limit, time, aborts) and the answer on its way out (back-pressure); what is asked and answered is the app's.
 */

import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { STATUS_CODES } from 'node:http'
import { ProtocolError } from '@starling/protocol/errors'

/** The app's face. What it gets beside the request is what the server knows of the client. */
export type Fetch = (request: Request, bindings: { remoteAddress: string }) => Response | Promise<Response>

export interface ServeOptions {
  /** The client's address as text. */
  remoteAddress: string
  /** Whether the client came over TLS that ends here. */
  tls: boolean
}

/** Most bytes of a body; a larger one reaches the app as a body that fails with `too_large`. */
const MAX_BODY_BYTES = 64 * 1024
/** How long a client may take for its body; one that takes longer is cut off. */
const BODY_TIMEOUT_MS = 10_000

/** uWebSockets.js frees a response when its client goes: whoever waited must look here before touching it. */
interface Life {
  isOver: boolean
}

/** Answers one request. Never throws, never rejects; must be called from the route's handler itself. */
export async function serveHttp(
  res: HttpResponse,
  req: HttpRequest,
  fetch: Fetch,
  { remoteAddress, tls }: ServeOptions,
): Promise<void> {
  const life: Life = { isOver: false }
  res.onAborted(() => {
    life.isOver = true
  })
  // The request is gone after the first await: all of it is read now.
  const head = readHead(req, tls)
  const body = hasBody(head.method) ? await readBody(res, life) : undefined
  if (life.isOver) return

  const response = await answer(fetch, head, body, remoteAddress)
  const bytes = new Uint8Array(await response.arrayBuffer().catch(() => new ArrayBuffer(0)))
  if (life.isOver) return
  // The rest of a body that was too large may still be on its way: this connection can't be used again.
  write(res, life, { response, bytes, isHead: head.method === 'HEAD', close: body === 'too large' })
}

interface Head {
  method: string
  url: string
  headers: [string, string][]
}

function readHead(req: HttpRequest, tls: boolean): Head {
  const headers: [string, string][] = []
  req.forEach((name, value) => {
    headers.push([name, value])
  })
  const query = req.getQuery()
  // The authority is only there to make a URL: who needs the host reads its header.
  const url = `${tls ? 'https' : 'http'}://gateway${req.getUrl()}${query === '' ? '' : `?${query}`}`
  return { method: req.getMethod().toUpperCase(), url, headers }
}

const hasBody = (method: string) => method !== 'GET' && method !== 'HEAD'

type Body = Uint8Array<ArrayBuffer> | 'too large'

/** Collects a body. Resolves in any case: with what came where the client went, or took too long and was cut off. */
function readBody(res: HttpResponse, life: Life): Promise<Body> {
  const { promise, resolve } = Promise.withResolvers<Body>()
  const chunks: Uint8Array[] = []
  let size = 0
  const timer = setTimeout(() => {
    if (!life.isOver) res.close()
  }, BODY_TIMEOUT_MS)
  const end = (body: Body) => {
    clearTimeout(timer)
    resolve(body)
  }
  res.onAborted(() => {
    life.isOver = true
    end('too large')
  })
  res.onData((chunk, isLast) => {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) return end('too large')
    // The memory is the library's: it is gone when this call returns.
    chunks.push(new Uint8Array(chunk.slice(0)))
    if (isLast) end(concat(chunks, size))
  })
  return promise
}

function concat(chunks: Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

async function answer(
  fetch: Fetch,
  { method, url, headers }: Head,
  body: Body | undefined,
  remoteAddress: string,
): Promise<Response> {
  let request: Request
  try {
    request = new Request(url, { method, headers, ...bodyOf(body) })
  } catch {
    // A method that HTTP keeps for itself, a header that is no text: nothing an app could be asked.
    return failure(new ProtocolError('bad_request', 'not a request'), 400)
  }
  try {
    return await fetch(request, { remoteAddress })
  } catch {
    return failure(new ProtocolError('internal', 'something went wrong here'), 500)
  }
}

/** An app that reads a body which was too large meets the refusal there; one that doesn't need it goes on. */
function bodyOf(body: Body | undefined): RequestInit {
  if (body === undefined || body.length === 0) return {}
  if (body !== 'too large') return { body }
  const failing = new ReadableStream({
    start(controller) {
      controller.error(new ProtocolError('too_large', 'the body is too large'))
    },
  })
  return { body: failing, duplex: 'half' }
}

const failure = (error: ProtocolError, status: number) => Response.json({ error }, { status })

interface Answer {
  response: Response
  bytes: Uint8Array<ArrayBuffer>
  isHead: boolean
  close: boolean
}

function write(res: HttpResponse, life: Life, { response, bytes, isHead, close }: Answer): void {
  const { status } = response
  res.cork(() => {
    res.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`)
    response.headers.forEach((value, name) => {
      if (name !== 'content-length') res.writeHeader(name, value)
    })
    // Called with undefined, the library writes a length of its own invention.
    if (status === 204 || status === 304)
      return void (close ? res.endWithoutBody(0, true) : res.endWithoutBody())
    if (isHead) return void res.endWithoutBody(bytes.byteLength, close)
    if (close || bytes.byteLength === 0) return void res.end(bytes, close)
    stream(res, life, bytes)
  })
}

/** Writes what the socket takes, and the rest when it takes more: nothing is copied into a buffer that grows. */
function stream(res: HttpResponse, life: Life, bytes: Uint8Array<ArrayBuffer>): void {
  const [isTaken] = res.tryEnd(bytes, bytes.byteLength)
  if (isTaken) return
  res.onWritable((offset) => {
    if (life.isOver) return true
    const [isTakenNow] = res.tryEnd(bytes.subarray(offset), bytes.byteLength)
    return isTakenNow
  })
}
