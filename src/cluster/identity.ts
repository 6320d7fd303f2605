/**
 * This gateway as the cluster knows it. The id is new at every boot, and whenever a lease was lost: what others
 * took out of Redis under the old id must not come back under it.
 */
import { randomBytes } from 'node:crypto'
import type { NodeId } from '@starling/protocol/ids'

export interface Identity {
  readonly id: NodeId
  /** Shown to clients. */
  readonly name: string
  /** Unix ms. */
  readonly since: number
}

export const newIdentity = (name: string): Identity => ({
  id: `${name}~${randomBytes(6).toString('hex')}` as NodeId,
  name,
  since: Date.now(),
})
