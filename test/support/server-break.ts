/**
 * Breaking the live feed of gateways in the very moment something is stored: Redis ends all connections that have
 * subscriptions and runs the scripts right behind, in one transaction. Nobody hears what they publish.
 */
import { Redis } from 'ioredis'
import type { Batches } from '../../src/store/batches.ts'
import { ConvStore } from '../../src/store/conv-store.ts'
import { DmStore } from '../../src/store/dm-store.ts'
import { GroupStore } from '../../src/store/group-store.ts'
import type { BatchDefinition, ScriptDefinition, Scripts } from '../../src/store/script.ts'
import { UserStore } from '../../src/store/user-store.ts'
import { DAY_MS, type StoreWorld, someNode } from './server-store.ts'

const kept = { maxlen: 10_000, ttlMs: 30 * DAY_MS }

/** Stores whose calls are run later, all at once; their results are what the scripts answered. */
interface Unheard {
  convs: ConvStore
  dms: DmStore
  groups: GroupStore
  users: UserStore
}

/** @param calls starts calls and does not await them: they are answered by the transaction at its end */
export async function storeUnheard(
  url: string,
  { redis, keys }: StoreWorld,
  calls: (stores: Unheard) => Promise<unknown>[],
): Promise<unknown[]> {
  const admin = new Redis(url)
  const transaction = admin.multi().call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  const answers: ((reply: unknown) => void)[] = []
  const scripts = {
    run(
      script: ScriptDefinition<string, string, unknown>,
      named: Record<string, string>,
      args: Record<string, string | number>,
      rest: (string | number)[] = [],
    ) {
      const values = [
        ...script.keys.map((key) => named[key]!),
        ...script.args.map((arg) => args[arg]!),
        ...rest,
      ]
      transaction.eval(script.lua, script.keys.length, ...values)
      return new Promise((resolve) => answers.push((reply) => resolve(script.decode(reply))))
    },
  } as unknown as Scripts
  const batches = {
    reachesAll: true,
    open: (script: BatchDefinition<string, string, unknown>, args: Record<string, string | number>) => ({
      run(bucket: number, job: Record<string, string | number>) {
        const given: Record<string, string | number> = { ...args, to: keys.toInBucket(bucket) }
        const values = [...script.args.map((arg) => given[arg]!), ...script.job.map((field) => job[field]!)]
        transaction.eval(script.lua, 0, ...values)
        return new Promise((resolve) =>
          answers.push((reply) => resolve(script.decode((reply as unknown[])[0]))),
        )
      },
    }),
  } as unknown as Batches
  const node = { id: someNode(), name: 'nobody' }
  const results = calls({
    convs: new ConvStore({ redis, scripts, batches, keys, limits: kept }),
    dms: new DmStore({
      redis,
      batches,
      keys,
      limits: { log: 1_000, inbox: 1_000, ttlMs: DAY_MS, strangerLimit: 0 },
    }),
    groups: new GroupStore({ redis, scripts, keys, node: () => node.id, limits: { log: kept, inbox: kept } }),
    users: new UserStore({
      redis,
      scripts,
      batches,
      keys,
      node: () => node,
      limits: { ...kept, sessions: 16 },
    }),
  })
  try {
    const replies = (await transaction.exec()) ?? []
    for (const [index, [fault, reply]] of replies.slice(1).entries()) {
      if (fault) throw fault
      answers[index]?.(reply)
    }
    return await Promise.all(results)
  } finally {
    admin.disconnect()
  }
}
