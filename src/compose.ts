/**
 * One gateway, put together: the only place that sees all parts.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { channelConv, type InboxPosition, SYSTEM, type UserId } from '@starling/protocol/ids'
import { WATCH_PER_SESSION } from '@starling/protocol/limits'
import { channelsOf } from './bus/channels.ts'
import { createPlacement } from './bus/placement.ts'
import { RedisBus } from './bus/redis-bus.ts'
import { checkRedis, reachRedis } from './cluster/boot-check.ts'
import { Canary } from './cluster/canary.ts'
import { newIdentity } from './cluster/identity.ts'
import { Lease } from './cluster/lease.ts'
import { Pulse } from './cluster/pulse.ts'
import type { Config } from './config.ts'
import { topicOf } from './gateway/connection.ts'
import type { GatewayContext } from './gateway/context.ts'
import { Departures } from './gateway/departures.ts'
import { Dispatch } from './gateway/dispatch.ts'
import { Door } from './gateway/door.ts'
import { Doubts } from './gateway/doubts.ts'
import { drain } from './gateway/drain.ts'
import { Fanout } from './gateway/fanout.ts'
import { Follow } from './gateway/follow.ts'
import { Hub } from './gateway/hub.ts'
import { noteEvents } from './gateway/note-events.ts'
import { Recovery } from './gateway/recovery.ts'
import { TcpServer } from './gateway/server-tcp.ts'
import { UwsServer } from './gateway/server-uws.ts'
import { Sweep } from './gateway/sweep.ts'
import { Watches } from './gateway/watches.ts'
import { createHttpApp } from './http/app.ts'
import { Load } from './lib/load.ts'
import { createLog } from './lib/log.ts'
import { createMetrics } from './lib/metrics.ts'
import { Tidy } from './lib/tidy.ts'
import { Accounts } from './services/accounts.ts'
import { Contacts } from './services/contacts.ts'
import { Groups } from './services/groups.ts'
import { History } from './services/history.ts'
import { inboxFrame, logFrame } from './services/message-json.ts'
import { Messaging } from './services/messaging.ts'
import { Presence } from './services/presence.ts'
import { Receipts } from './services/receipts.ts'
import { Sessions } from './services/sessions.ts'
import { Sync } from './services/sync.ts'
import { Tellings } from './services/tellings.ts'
import { Tokens } from './services/tokens.ts'
import { createCommandClient } from './store/redis.ts'
import { openStores } from './stores.ts'

/** How long a leaving gateway tries to take its sessions out of Redis, and to end its calls, ms. */
const DEPARTURE_MS = 2_000

export interface Gateway {
  readonly port: number
  /** Where frames over raw TCP are taken, if anywhere. */
  readonly tcpPort: number | undefined
  /** Drains and ends; resolves when nothing is left. May be called twice. */
  close(): Promise<void>
}

/** Starts a gateway; resolves when it serves. @throws BootError where Redis or the port can't be had */
export async function startGateway(config: Config): Promise<Gateway> {
  const log = createLog(config.LOG_LEVEL, config.NODE_NAME)
  const metrics = createMetrics()

  // The store
  const redis = createCommandClient(config.REDIS_URL, log)
  await reachRedis(redis)
  await checkRedis(redis, config.DURABILITY, log)
  let identity = newIdentity(config.NODE_NAME)
  const { keys, convs, dms, users, online, nodes, ...stores } = await openStores({
    config,
    redis,
    node: () => identity,
    onDone: (script, ms) => metrics.scriptLatency.series(script).observe(ms / 1000),
  })

  // The services
  const tokens = new Tokens({
    secret: config.JWT_SECRET,
    jwksUrl: config.JWKS_URL,
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
  })
  const channels = config.CHANNELS
  const messaging = new Messaging({
    convs,
    dms,
    inboxes: users,
    channels,
    maxBodyBytes: config.MAX_BODY_BYTES,
  })
  const history = new History({ convs, inboxes: users, channels })
  const sync = new Sync({ convs, inboxes: users, history })
  const receipts = new Receipts({ convs, inboxes: users, history, log })
  const presence = new Presence({ sessions: users, online, tell: (batch) => bus.publishPresence(batch), log })
  const tellings = new Tellings({ groups: stores.groups, log })
  const groups = new Groups({ groups: stores.groups, tellings })
  const accounts = new Accounts({ store: stores.profiles, tokens, attempts: stores.attempts })

  // The gateway
  const load = new Load()
  const tidy = new Tidy()
  const hub = new Hub()
  const feedOf = (topic: string) => keys.feedOf(topic)
  const doubts = new Doubts(feedOf)
  const follow = new Follow({
    hub,
    port: {
      attach: (conv, user) => convs.attach(conv, identity.id, user),
      detach: (conv) => convs.detach(conv, identity.id),
      missed: (conv, user, since) => sync.missed(user, conv, since),
    },
    log,
  })
  const watches = new Watches({ presence, watchAllMax: config.WATCH_ALL_MAX, log })
  const channelConvs = [...channels.keys()].map(channelConv)
  const departures = new Departures({ sessions: users, presence, log })
  const context: GatewayContext = {
    hub,
    doubts,
    departures,
    follow,
    watches,
    tokens,
    messaging,
    receipts,
    sync,
    presence,
    sessions: users,
    inboxes: users,
    convs,
    limits: {
      frame: config.MAX_FRAME_BYTES,
      body: config.MAX_BODY_BYTES,
      watch: WATCH_PER_SESSION,
      sessions: config.MAX_SESSIONS,
      sendsPerSecond: config.SEND_RATE,
      burst: config.SEND_BURST,
      recallMs: config.RECALL_SECONDS * 1000,
    },
    nodeName: config.NODE_NAME,
    load,
    metrics,
    log,
  }
  let draining = false
  /** The lease is lost, and this node does not serve under another id yet. */
  let nameless = false
  const ready = () => !draining && !nameless && pulse.beats && bus.whole && canary.alive
  const http = createHttpApp({
    config,
    log,
    metrics,
    tokens,
    accounts,
    contacts: new Contacts({ store: stores.contacts, accounts }),
    messaging,
    history,
    groups,
    presence,
    sessions: new Sessions(users),
    cluster: {
      ready,
      async stats() {
        const [all, total] = await Promise.all([nodes.all(), online.total()])
        return {
          nodes: all,
          connections: all.reduce((sum, node) => sum + node.connections, 0),
          online: total,
        }
      },
    },
    ...webDirectory(),
  })
  const handler = new Dispatch(context)
  const door = new Door({
    origins: config.ALLOWED_ORIGINS,
    maxConnections: config.MAX_CONNECTIONS,
    connectRate: config.CONNECT_RATE,
    connections: () => hub.sessions.size,
    isAway: () => nameless,
    load,
    handshakes: metrics.handshakes,
  })
  const tls =
    config.TLS_CERT !== undefined && config.TLS_KEY !== undefined
      ? { cert: config.TLS_CERT, key: config.TLS_KEY }
      : undefined
  const server = new UwsServer({
    handler,
    door,
    handshakes: metrics.handshakes,
    fetch: (request, bindings) => http.fetch(request, bindings),
    maxBufferBytes: config.MAX_BUFFER_BYTES,
    trustProxy: config.TRUST_PROXY,
    tls,
  })
  const tcp =
    config.TCP_PORT === undefined
      ? undefined
      : new TcpServer({
          handler,
          admit: () => door.hasRoom(),
          maxFrameBytes: config.MAX_FRAME_BYTES,
          maxBufferBytes: config.MAX_BUFFER_BYTES,
          tls,
        })
  const topics = {
    publish(conv: string, frame: string | Uint8Array) {
      const topic = topicOf(conv)
      server.publish(topic, frame)
      tcp?.publish(topic, frame)
    },
  }

  // The cluster
  const fanout = new Fanout({ hub, topics, follow, doubts, log })
  const recovery = new Recovery({
    hub,
    follow,
    topics,
    doubts,
    sessions: users,
    presence,
    heads: {
      inboxHead: (user) => users.head(user),
      convHead: (conv) => convs.head(conv),
      attach: (conv) => convs.attach(conv, identity.id),
      async firstInInbox(user, after) {
        const [first] = await users.entries(user, after as InboxPosition, 1)
        return first && { position: first.position, frame: inboxFrame(first.position, first.id, first.tail) }
      },
      async firstInConv(conv, user, after) {
        const range = await convs.range(conv, user ?? SYSTEM, {
          order: 'forward',
          low: `(${after}`,
          high: '+',
          count: 1,
        })
        const first = range.is === 'ok' ? range.entries[0] : undefined
        return first && { position: first.id, frame: logFrame(first.id, first.tail) }
      },
    },
    bucketOf: feedOf,
    log,
  })
  const note = noteEvents({
    metrics,
    hub,
    followers: (conv) => server.followers(topicOf(conv)) + (tcp?.followers(topicOf(conv)) ?? 0),
  })
  const newBus = () =>
    new RedisBus({
      commands: redis,
      placement: createPlacement(config.REDIS_URL, keys, redis),
      channels: channelsOf(keys, identity.id),
      listener: {
        event: (event) => {
          note(event)
          fanout.event(event)
        },
        presence: (batch) => presence.hear(batch),
        canary: (bucket) => canary.heard(bucket),
        broken: (buckets) => doubts.begin(buckets),
        mended: (buckets) => recovery.mended(buckets),
      },
      log,
    })
  let bus = newBus()
  const pulse = new Pulse({ redis, log })
  const canary = new Canary({ bus: () => bus, buckets: keys.feeds, log })
  const lease = new Lease({
    node: identity.id,
    nodes,
    online,
    buckets: keys.buckets,
    info: () => ({ node: identity.name, connections: hub.sessions.size, since: identity.since }),
    events: {
      lost: () => rebirth(),
      reaped: (gone: [UserId, number][], last) => presence.reaped(gone, last),
      untold: (node, buckets) => tellings.finish(buckets, node),
    },
    log,
  })

  /** Others have taken this node out: its clients come back to a node with another id. */
  async function rebirth(): Promise<void> {
    nameless = true
    hub.closeAll(1012)
    await bus.close()
    doubts.reset()
    await nodes.abandon(identity.id)
    identity = newIdentity(config.NODE_NAME)
    // First the lease: what is written under this id from now on is somebody's to take out.
    await lease.restart(identity.id)
    bus = newBus()
    if (!draining) await bus.start()
    if (draining) return // nobody will come any more
    await followChannels()
    nameless = false
  }

  async function followChannels(): Promise<void> {
    for (const conv of channelConvs) {
      const { head } = await convs.attach(conv, identity.id)
      hub.conv(conv).forwarded = head
    }
  }

  await lease.start()
  await bus.start()
  await followChannels()
  load.start()
  tidy.start()
  pulse.start()
  canary.start()
  recovery.start()
  const sweep = new Sweep({ sessions: hub.sessions, maxBufferBytes: config.MAX_BUFFER_BYTES })
  sweep.start()
  metrics.expose({
    ready: () => Number(ready()),
    draining: () => Number(draining),
    connections: () => hub.sessions.size,
    sessions: () => sum(hub.users.values(), (here) => here.sessions.length),
    users: () => hub.users.size,
    conversations: () => hub.convs.size,
    outgoingBytes: () => sum(hub.sessions, ({ connection }) => connection.buffered()),
    subscriptions: () => bus.subscribed,
    canaryAge: () => canary.ageMs / 1000,
    leaseAge: () => lease.ageMs / 1000,
    reapedNodes: () => lease.reapedNodes,
    reapedSessions: () => lease.reapedSessions,
  })
  const port = await server.listen(config.HOST, config.PORT)
  const tcpPort = await tcp?.listen(config.HOST, config.TCP_PORT ?? 0)
  log.info({ port, tcpPort, id: identity.id }, 'gateway is up')

  async function letChannelsGo(): Promise<boolean> {
    const done = await Promise.allSettled(channelConvs.map((conv) => convs.detach(conv, identity.id)))
    return done.every(({ status }) => status === 'fulfilled')
  }

  let closing: Promise<void> | undefined
  const close = async () => {
    draining = true
    log.info({ sessions: hub.sessions.size }, 'gateway is leaving')
    server.stopListening()
    tcp?.stopListening()
    await drain(hub.sessions, config.DRAIN_SECONDS * 1000)
    server.close()
    tcp?.close()
    sweep.close()
    load.close()
    tidy.close()
    recovery.close()
    await receipts.close()
    const allLeft = await departures.settle(DEPARTURE_MS)
    const allTold = await tellings.close(DEPARTURE_MS)
    await presence.close()
    watches.close()
    canary.close()
    // Before the lease, which may be waiting for it to hear all buckets.
    await bus.close()
    // What could not be taken out or told now is the reaper's, who comes when the lease has lapsed.
    await lease.close({ mayGiveUp: async () => allLeft && allTold && (await letChannelsGo()) })
    pulse.close()
    redis.disconnect()
    log.info('gateway has left')
  }
  return {
    port,
    tcpPort,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** The built web client beside the sources, if there is one. */
function webDirectory(): { webDir?: string } {
  const dir = fileURLToPath(new URL('../web/dist', import.meta.url))
  return existsSync(dir) ? { webDir: dir } : {}
}

function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0
  for (const item of items) total += of(item)
  return total
}
