/**
 * send and typing: from one user to others.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { ClientFrameOf, ServerFrameOf } from '@starling/protocol/frames'
import { type ConvId, convOf, SYSTEM, type UserId } from '@starling/protocol/ids'
import { TYPING_EVERY_MS } from '@starling/protocol/limits'
import { OVERLOADED_RETRY_MS } from '../../lib/load.ts'
import { TokenBucket } from '../../lib/token-bucket.ts'
import { ackFrame } from '../../services/message-json.ts'
import type { GatewayContext } from '../context.ts'
import type { Live } from '../session.ts'

/** Conversations in which one may be typing at the same time: nobody has more hands. */
const TYPING_CONVS_MAX = 100
/** Acks that may wait for a broken feed to be whole again. */
const DOUBTED_MAX = 20_000

/** @returns the ack, serialised: most of all replies are one */
export async function send(
  context: GatewayContext,
  { session, identity, here }: Live,
  frame: ClientFrameOf<'send'>,
): Promise<string> {
  const kind = frame.to.slice(0, frame.to.indexOf(':'))
  const now = performance.now()
  const { sendsPerSecond, burst } = context.limits
  session.sends ??= new TokenBucket(sendsPerSecond, burst, now)
  const retryIn = session.sends.take(now)
  if (retryIn > 0) {
    if (session.refused(now)) session.close(4009)
    context.metrics.sends.add(`${kind} rate_limited`)
    throw new ProtocolError('rate_limited', 'too many sends', { retryIn })
  }
  if (context.load.overloaded || context.doubts.waiting > DOUBTED_MAX) {
    context.metrics.sends.add(`${kind} overloaded`)
    throw new ProtocolError('overloaded', 'this gateway is behind', { retryIn: OVERLOADED_RETRY_MS })
  }
  try {
    const sent = await context.messaging.send({
      from: identity.user,
      to: frame.to,
      body: frame.body,
      ref: frame.ref,
      reply: frame.reply,
      mentions: frame.mentions,
      retry: frame.retry,
      echo: !here.alone,
    })
    // An ack counts as having seen its numbers: it must not come before what shows that others are missing.
    const topic = sent.inbox === undefined ? sent.conv : `user:${identity.user}`
    if (context.doubts.about(topic)) await context.doubts.settled(topic)
    context.metrics.ackLatency.observe((performance.now() - now) / 1000)
    context.metrics.sends.add(sent.dup ? `${kind} dup` : `${kind} ok`)
    return ackFrame(frame.ref, sent)
  } catch (fault) {
    context.metrics.sends.add(`${kind} ${fault instanceof ProtocolError ? fault.code : 'internal'}`)
    throw fault
  }
}

export async function typing(
  context: GatewayContext,
  { identity, here }: Live,
  { to }: ClientFrameOf<'typing'>,
): Promise<undefined> {
  if (to.startsWith('channel:'))
    throw new ProtocolError('bad_request', 'no typing in channels', { field: 'to' })
  const conv = convOf(identity.user, to)
  if (!mayPass(here, conv)) return
  const frame = JSON.stringify({ op: 'typing', conv, from: identity.user } satisfies ServerFrameOf<'typing'>)
  if (to.startsWith('group:')) {
    if ((await context.convs.tell(conv, identity.user, frame)) === 'not_member') {
      throw new ProtocolError('not_member', 'you are not a member of this group')
    }
    return
  }
  const peer = to.slice('user:'.length) as UserId
  if (peer === identity.user || peer === SYSTEM || (await context.convs.blocks(conv, peer))) return
  await context.inboxes.hint(peer, frame)
}

/** One sign of typing per user and conversation in a while. */
function mayPass(here: Live['here'], conv: ConvId): boolean {
  const now = performance.now()
  here.typed ??= new Map()
  if (now - (here.typed.get(conv) ?? Number.NEGATIVE_INFINITY) < TYPING_EVERY_MS) return false
  for (const [old, at] of here.typed) {
    if (now - at >= TYPING_EVERY_MS) here.typed.delete(old)
  }
  if (here.typed.size >= TYPING_CONVS_MAX) return false
  here.typed.set(conv, now)
  return true
}
