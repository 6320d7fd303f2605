/**
 * hello, token, ping: how a connection becomes a session and stays one.
 */
import { randomUUID } from 'node:crypto'
import { ProtocolError } from '@starling/protocol/errors'
import type { ClientFrameOf, ServerFrameOf } from '@starling/protocol/frames'
import { groupConv, ORIGIN, type SessionId } from '@starling/protocol/ids'
import { HEARTBEAT_MS } from '@starling/protocol/limits'
import type { Joined } from '../../services/ports.ts'
import { hasGap } from '../../services/sync.ts'
import { EVERYBODY } from '../connection.ts'
import type { GatewayContext } from '../context.ts'
import type { Arrival } from '../hub.ts'
import type { Identity, Live, Session } from '../session.ts'
import { begin } from './position.ts'

/**
 * Makes a connection a session: token, then Redis' list, then this node's; then the welcome.
 * @throws ProtocolError where it can't be one; `forbidden` where the user has too many
 */
export async function hello(
  context: GatewayContext,
  session: Session,
  frame: ClientFrameOf<'hello'>,
): Promise<void> {
  const claims = await context.tokens.verify(frame.token)
  const identity: Identity = {
    user: claims.user,
    session: randomUUID() as string as SessionId,
    device: frame.device,
    platform: frame.platform ?? '',
    since: Date.now(),
    name: claims.name,
  }
  if (session.state.is === 'joining') session.state.who = identity
  begin(context, session)
  const arrival = context.hub.arrives(identity.user)
  const joined = await join(context, identity, arrival)
  if (joined.is === 'full') throw new ProtocolError('forbidden', 'too many sessions of this user')
  if (joined.came !== undefined) context.presence.came(identity.user, joined.came)
  if (session.state.is !== 'joining') {
    // The line broke while we asked: what was written must be taken back.
    await context.departures.leave(identity)
    return
  }
  session.identity = identity
  session.tokenExp = claims.exp
  const here = context.hub.user(identity.user, joined.inboxHead)
  here.sessions = [...here.sessions, session]
  here.alone = !arrival.accompanied && joined.devices <= 1 && joined.sessions <= 1
  session.state.here = here
  // Read too early: what came then was told to nobody, and another session may have written to somebody new.
  if (arrival.heard || joined.sessions > 1) session.ahead = undefined
  begin(context, session)
  if (joined.groups.length > 0)
    await Promise.all(joined.groups.map((group) => context.follow.enter(here, group)))
  if (isClosed(session)) return
  session.state = { is: 'live', here }
  session.connection.subscribe(EVERYBODY)
  for (const group of here.groups?.keys() ?? []) session.connection.subscribe(groupConv(group))
  session.send(welcome(context, identity, joined, frame))
  if (joined.sessionFrame === undefined) session.send(onlySession(context, identity))
  else session.sendRaw(joined.sessionFrame)
  if (!context.log.isLevelEnabled('info')) return
  const { user, session: id, device } = identity
  context.log.info({ user, session: id, device, address: session.connection.remoteAddress }, 'session begins')
}

async function join(context: GatewayContext, identity: Identity, arrival: Arrival): Promise<Joined> {
  try {
    return await context.sessions.join(identity)
  } catch (fault) {
    // It may be written though no answer came: a session that nobody has would keep its user online.
    void context.departures.leave(identity, true)
    throw fault
  } finally {
    context.hub.arrived(identity.user, arrival)
  }
}

export async function token(
  context: GatewayContext,
  { session, identity }: Live,
  frame: ClientFrameOf<'token'>,
): Promise<{ op: 'ok' }> {
  const claims = await context.tokens.verify(frame.token)
  if (claims.user !== identity.user) throw new ProtocolError('forbidden', 'this token is of another user')
  session.tokenExp = claims.exp
  return { op: 'ok' }
}

export const ping = (_context: GatewayContext, { here }: Live): ServerFrameOf<'pong'> => ({
  op: 'pong',
  time: Date.now(),
  inbox: here.forwarded,
})

function welcome(
  context: GatewayContext,
  identity: Identity,
  joined: Extract<Joined, { is: 'ok' }>,
  frame: ClientFrameOf<'hello'>,
): ServerFrameOf<'welcome'> {
  const { inboxHead, oldestInbox, devicePosition, name, avatar } = joined
  const position = devicePosition && (frame.inbox ?? devicePosition)
  return {
    op: 'welcome',
    ...(frame.ref !== undefined && { ref: frame.ref }),
    session: identity.session,
    user: { id: identity.user, name: name ?? identity.user, ...(avatar !== undefined && { avatar }) },
    node: context.nodeName,
    time: Date.now(),
    heartbeat: HEARTBEAT_MS,
    inbox: inboxHead,
    resumed: position !== undefined && !hasGap(position, oldestInbox, inboxHead ?? ORIGIN),
    limits: context.limits,
  }
}

function onlySession(
  { nodeName }: GatewayContext,
  { session, device, platform, since }: Identity,
): ServerFrameOf<'session'> {
  return { op: 'session', sessions: [{ session, device, platform, node: nodeName, since }] }
}

/** Through a function, since the type checker holds a state for unchanged over an await. */
const isClosed = (session: Session) => session.state.is === 'closed'
