/**
 * read, received, sync: where a client stands, and bringing it up to where the log is.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { ClientFrameOf, ServerFrameOf } from '@starling/protocol/frames'
import type { GatewayContext } from '../context.ts'
import type { Live } from '../session.ts'

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
  session.syncs ??= { tail: Promise.resolve(), count: 0 }
  const { syncs } = session
  if (syncs.count >= SYNCS_MAX) {
    throw new ProtocolError('rate_limited', 'too many syncs under way', { retryIn: 1000 })
  }
  syncs.count += 1
  const turn = syncs.tail.then(() => serve(context, live, frame))
  syncs.tail = turn.then(
    () => {
      syncs.count -= 1
    },
    () => {
      syncs.count -= 1
    },
  )
  return turn
}

async function serve(
  context: GatewayContext,
  { session, identity }: Live,
  { ref, inbox, convs }: ClientFrameOf<'sync'>,
): Promise<ServerFrameOf<'synced'>> {
  const start = `{"op":"batch",${ref === undefined ? '' : `"ref":${JSON.stringify(ref)},`}"frames":[`
  const only = convs !== undefined && inbox === undefined
  const position = only
    ? undefined
    : (inbox ?? (await context.inboxes.devicePosition(identity.user, identity.device)))
  const synced = await context.sync.run(
    { user: identity.user, inbox: position, convs: convs ?? new Map(), only },
    async (frames) => {
      await session.connection.drained()
      session.sendRaw(`${start}${frames.join(',')}]}`)
    },
  )
  return { op: 'synced', ...synced }
}
