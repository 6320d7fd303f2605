/**
 * read, received, sync: where a client stands, and bringing it up to where the log is.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { ClientFrameOf, ServerFrameOf } from '@starling/protocol/frames'
import { comparePositions } from '@starling/protocol/ids'
import { Turns } from '../../lib/turns.ts'
import type { SyncStart } from '../../services/sync.ts'
import type { GatewayContext } from '../context.ts'
import { assertThere, type Identity, type Live, type Session } from '../session.ts'

/** Syncs of one session that may wait for their turn. */
const SYNCS_MAX = 100

export async function read(
  context: GatewayContext,
  { identity }: Live,
  { conv, id }: ClientFrameOf<'read'>,
): Promise<ServerFrameOf<'ok'>> {
  return { op: 'ok', ...(await context.receipts.read(identity.user, identity.session, conv, id)) }
}

export async function received(
  context: GatewayContext,
  { identity }: Live,
  { inbox }: ClientFrameOf<'received'>,
): Promise<undefined> {
  await context.receipts.received(identity.user, identity.device, inbox)
}

/** Syncs are served in turn, and no faster than the client reads. */
export function sync(
  context: GatewayContext,
  live: Live,
  frame: ClientFrameOf<'sync'>,
): Promise<ServerFrameOf<'synced'>> {
  const { session } = live
  session.syncs ??= new Turns()
  if (session.syncs.count >= SYNCS_MAX) {
    throw new ProtocolError('rate_limited', 'too many syncs under way', { retryIn: 1000 })
  }
  return session.syncs.take(() => serve(context, live, frame))
}

/**
 * Begins a sync that waits behind the hello, together with the join: what comes between the two is in the inbox's head as
 * the join has it, and what comes later is heard here. The device's own position is looked up once the join has noted it.
 */
export function begin(context: GatewayContext, session: Session): void {
  const { state } = session
  if (state.is !== 'joining' || !state.who || session.ahead) return
  const [next] = state.waiting
  if (next?.op !== 'sync' || (next.inbox === undefined && !state.here)) return
  session.ahead = startOf(context, state.who, next)
  session.ahead?.catch(() => {}) // whoever asks for it is told; it may be nobody
}

/** @returns what a sync of the inbox starts with; undefined where the inbox isn't asked for */
function startOf(
  { sync }: GatewayContext,
  { user, device }: Identity,
  { inbox, convs }: ClientFrameOf<'sync'>,
): Promise<SyncStart> | undefined {
  return convs && inbox === undefined ? undefined : sync.start(user, device, inbox)
}

async function serve(
  context: GatewayContext,
  { session, identity, here }: Live,
  frame: ClientFrameOf<'sync'>,
): Promise<ServerFrameOf<'synced'>> {
  const { ref, convs = new Map() } = frame
  assertThere(session)
  const { ahead } = session
  session.ahead = undefined
  const start = await (ahead ?? startOf(context, identity, frame))
  // Before the welcome nothing was sent live: what has been heard of the inbox since it was read is still to be read.
  const again = ahead && start && comparePositions(here.forwarded, start.range.head) > 0
  const opening = `{"op":"batch",${ref === undefined ? '' : `"ref":${JSON.stringify(ref)},`}"frames":[`
  const synced = await context.sync.run(
    { user: identity.user, start: again ? { ...start, isPart: true } : start, convs },
    async (frames) => {
      await session.connection.drained()
      assertThere(session)
      session.sendRaw(`${opening}${frames}]}`)
    },
  )
  return { op: 'synced', ...synced }
}
