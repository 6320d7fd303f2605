/** What a repeat is told while no replica has the message: the same as its first send. Two real Redis, one of them frozen. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { channelConv } from '@starling/protocol/ids'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { findRedisServer, startRedisServer } from '../../scripts/lib/redis-server.ts'
import { Batches } from '../../src/store/batches.ts'
import { ConvStore } from '../../src/store/conv-store.ts'
import { DmStore } from '../../src/store/dm-store.ts'
import { createDurability } from '../../src/store/durability.ts'
import { Keys } from '../../src/store/keys.ts'
import { DAY_MS, dmDraft, draftOf, StoreWorld, someone } from '../support/server-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'starling-repeat-'))
const launch = findRedisServer()!
const settings = { dir: folder, save: '', appendonly: 'no' }
const master = await startRedisServer(launch, { ...settings, 'repl-diskless-sync-delay': '0' })
const replica = await startRedisServer(launch, { ...settings, replicaof: ['127.0.0.1', String(master.port)] })
const world = await StoreWorld.open(master.url)
const clients: Redis[] = []

afterAll(async () => {
  world.close()
  for (const client of clients) client.disconnect()
  replica.child.process.kill('SIGCONT')
  await Promise.all([replica.stop(), master.stop()])
  rmSync(folder, { recursive: true })
})

/** A gateway of its own, with its own line to the master, which acks what a replica has. */
function gateway() {
  const redis = new Redis(master.url)
  clients.push(redis)
  const keys = new Keys(world.keys.prefix, 1024, 1)
  const batches = new Batches({ redis, keys, durability: createDurability('replica', redis) })
  const log = { maxlen: 100, ttlMs: DAY_MS }
  return {
    dms: new DmStore({
      redis,
      batches,
      keys,
      limits: { log: 100, inbox: 100, ttlMs: DAY_MS, strangerLimit: 0 },
    }),
    convs: new ConvStore({ redis, scripts: world.scripts, batches, keys, limits: log }),
  }
}

test('[P1] a repeat on another gateway is not acked before a replica has what it repeats', async () => {
  const [from, to, channel] = [someone(), someone(), channelConv(someone('ch'))]
  const rule = { guard: 'free', echo: false } as const
  const [dm, post] = [dmDraft(from, to), draftOf(channel, from)]
  const [first, second] = [gateway(), gateway()]
  const sends = (at: typeof first, retry: boolean) => [
    at.dms.send({ ...dm, retry }, to, rule),
    at.convs.append({ ...post, retry }, 'channel'),
  ]
  await expect(first.dms.send(dmDraft(from, to), to, rule)).resolves.toMatchObject({ is: 'ok' })

  replica.child.process.kill('SIGSTOP')
  const unavailable = { code: 'unavailable' }
  await Promise.all(sends(first, false).map((sent) => expect(sent).rejects.toMatchObject(unavailable)))
  for (const retry of [false, true]) {
    await Promise.all(sends(second, retry).map((sent) => expect(sent).rejects.toMatchObject(unavailable)))
  }
  replica.child.process.kill('SIGCONT')
  await Promise.all(sends(second, true).map((sent) => expect(sent).resolves.toMatchObject({ is: 'dup' })))
})
