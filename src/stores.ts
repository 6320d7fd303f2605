/**
 * What a gateway keeps in Redis, put together: all stores on one client, with how much each keeps and for how long.
 */
import type { NodeId } from '@starling/protocol/ids'
import type { Config } from './config.ts'
import { AttemptStore } from './store/attempt-store.ts'
import { Batches } from './store/batches.ts'
import { ContactStore } from './store/contact-store.ts'
import { ConvStore } from './store/conv-store.ts'
import { DmStore } from './store/dm-store.ts'
import { createDurability } from './store/durability.ts'
import { GroupStore } from './store/group-store.ts'
import { NodeStore, openKeys } from './store/node-store.ts'
import { OnlineStore } from './store/online-store.ts'
import { ProfileStore } from './store/profile-store.ts'
import type { RedisClient } from './store/redis.ts'
import { Scripts } from './store/script.ts'
import { UserStore } from './store/user-store.ts'

const DAY_MS = 24 * 3_600_000

/**
 * @param deps.node this gateway as the cluster knows it now; its id changes when a lease was lost
 * @param deps.onDone is told how long each round trip took, however it ended
 */
export async function openStores(deps: {
  config: Config
  redis: RedisClient
  node: () => { id: NodeId; name: string }
  onDone: (script: string, ms: number) => void
}) {
  const { config, redis, node, onDone } = deps
  const keys = await openKeys(redis, config.KEY_PREFIX)
  const scripts = new Scripts(redis, onDone)
  const durability = createDurability(config.DURABILITY, redis)
  const batches = new Batches({ redis, keys, durability, onDone })
  const ttlMs = config.RETENTION_DAYS * DAY_MS
  const log = { maxlen: config.LOG_MAXLEN, ttlMs }
  const inbox = { maxlen: config.INBOX_MAXLEN, ttlMs }
  return {
    keys,
    convs: new ConvStore({ redis, scripts, batches, keys, limits: log }),
    dms: new DmStore({
      redis,
      batches,
      keys,
      limits: { log: log.maxlen, inbox: inbox.maxlen, ttlMs, strangerLimit: config.STRANGER_LIMIT },
    }),
    users: new UserStore({
      redis,
      scripts,
      batches,
      keys,
      node,
      limits: { ttlMs, sessions: config.MAX_SESSIONS },
    }),
    online: new OnlineStore({ redis, scripts, keys }),
    nodes: new NodeStore({ redis, scripts, keys }),
    groups: new GroupStore({ redis, scripts, keys, node: () => node().id, limits: { log, inbox } }),
    profiles: new ProfileStore({ redis, scripts, keys }),
    contacts: new ContactStore({ redis, keys }),
    attempts: new AttemptStore({ redis, prefix: config.KEY_PREFIX }),
  }
}
