/**
 * Bytes ↔ frames: the only place that parses what clients send. Finds out in this order: is it a frame
 * at all (`bad_frame`), does it have a usable `ref`, is it one we know and well-formed (`bad_request`).
 */
import { ProtocolError } from './errors.ts'
import type { ClientFrame, ClientFrameOf, ServerFrame } from './frames.ts'
import { isId, isPosition, isRef, isTarget, type Ref } from './ids.ts'
import { MAX_DEPTH } from './limits.ts'
import { clientFrame, MAX_PLATFORM_LENGTH } from './schemas.ts'

/** What came of one frame. An error carries the op and the `ref` to answer to, where the frame had good ones. */
export type Decoded =
  | { ok: true; frame: ClientFrame }
  | { ok: false; error: ProtocolError; op: string | undefined; ref: Ref | undefined }

/** @returns whether objects and arrays lie in each other more than `levels` deep */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((inner) => isDeeperThan(inner, levels - 1))
}

/**
 * Whether this is a send of a text with nothing that needs a closer look: most frames are, and seeing it by hand costs a
 * tenth of the schema, which has the last word on everything else.
 */
function isPlainSend(value: object): value is ClientFrameOf<'send'> {
  let known = 0
  for (const key in value) {
    if (key !== 'op' && key !== 'ref' && key !== 'to' && key !== 'body' && key !== 'retry') return false
    known += 1
  }
  const { ref, to, body, retry } = value as { ref?: unknown; to?: unknown; body?: unknown; retry?: unknown }
  if (known < 4 || !isRef(ref) || !isTarget(to)) return false
  if (known === 5 && typeof retry !== 'boolean') return false
  if (typeof body !== 'object' || body === null) return false
  for (const key in body) if (key !== 'type' && key !== 'text') return false
  const { type, text } = body as { type?: unknown; text?: unknown }
  return type === 'text' && typeof text === 'string' && text !== ''
}

/** The same for a hello: every connect begins with one, and all at once when a node has died. */
function isPlainHello(value: object): value is ClientFrameOf<'hello'> {
  for (const key in value)
    if (key !== 'op' && key !== 'ref' && key !== 'token' && key !== 'device' && key !== 'platform')
      return false
  const { ref, token, device, platform } = value as Partial<Record<string, unknown>>
  if (typeof token !== 'string' || !isId(device) || (ref !== undefined && !isRef(ref))) return false
  return (
    platform === undefined ||
    (typeof platform === 'string' && platform.length <= MAX_PLATFORM_LENGTH && platform.isWellFormed())
  )
}

/** And for the sync of an inbox that follows it. */
function isPlainSync(value: object): value is ClientFrameOf<'sync'> {
  for (const key in value) if (key !== 'op' && key !== 'ref' && key !== 'inbox') return false
  const { ref, inbox } = value as { ref?: unknown; inbox?: unknown }
  return (ref === undefined || isRef(ref)) && (inbox === undefined || isPosition(inbox))
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

const badFrame = (message: string): Decoded => ({
  ok: false,
  error: new ProtocolError('bad_frame', message),
  op: undefined,
  ref: undefined,
})

/**
 * Reads one frame of a client.
 * @param bytes the text frame's payload, within the frame limit
 */
export function decodeClientFrame(bytes: ArrayBuffer | Uint8Array): Decoded {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch {
    return badFrame('not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return badFrame('not a JSON object')
  const { op, ref } = value as { op?: unknown; ref?: unknown }
  if (typeof op !== 'string') return badFrame('no op')
  if (op === 'send' && isPlainSend(value)) return { ok: true, frame: value }
  if (op === 'hello' && isPlainHello(value)) return { ok: true, frame: value }
  if (op === 'sync' && isPlainSync(value)) return { ok: true, frame: value }
  if (isDeeperThan(value, MAX_DEPTH)) return badFrame('nested too deep')

  const answerTo = isRef(ref) ? ref : undefined
  const parsed = clientFrame.safeParse(value)
  if (parsed.success) return { ok: true, frame: parsed.data }
  return { ok: false, error: requestError(parsed.error.issues), op, ref: answerTo }
}

/** @returns the `bad_request` that names the first field at fault */
export function requestError(issues: readonly { path: PropertyKey[]; message: string }[]): ProtocolError {
  const first = issues[0]
  const field = first?.path.map(String).join('.')
  const message = first === undefined ? 'invalid' : field === 'op' ? 'unknown op' : first.message
  return new ProtocolError('bad_request', message, field ? { field } : {})
}

/** @returns the frame as it goes over the wire */
export const encodeFrame = (frame: ServerFrame): string => JSON.stringify(frame)
