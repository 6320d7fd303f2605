/**
 * watch and unwatch: whose presence a session is told.
 */
import type { ClientFrameOf, ServerFrameOf } from '@starling/protocol/frames'
import type { GatewayContext } from '../context.ts'
import type { Live } from '../session.ts'

export async function watch(
  context: GatewayContext,
  { session }: Live,
  { users }: ClientFrameOf<'watch'>,
): Promise<ServerFrameOf<'ok'>> {
  return { op: 'ok', ...(await context.watches.watch(session, users)) }
}

export async function unwatch(
  context: GatewayContext,
  { session }: Live,
  { users }: ClientFrameOf<'unwatch'>,
): Promise<ServerFrameOf<'ok'>> {
  await context.watches.unwatch(session, users)
  return { op: 'ok' }
}
