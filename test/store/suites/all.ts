/** The store's suites, run by every kind of Redis that claims to carry them. */
import { afterAll, beforeAll } from 'vitest'
import { StoreWorld } from '../../support/server-store.ts'
import { appendSuite } from './append.ts'
import { appendDmSuite } from './append-dm.ts'
import { groupsSuite } from './groups.ts'
import { inboxSuite } from './inbox.ts'
import { nodesSuite } from './nodes.ts'
import { onlineSuite } from './online.ts'
import { positionsSuite } from './positions.ts'
import { sessionsSuite } from './sessions.ts'
import { tellingsSuite } from './tellings.ts'

/** @param start brings the Redis up; ended with the suites */
export function storeSuites(start: () => Promise<{ url: string; stop(): Promise<void> }>): void {
  let world: StoreWorld
  let stop: () => Promise<void>
  beforeAll(async () => {
    const redis = await start()
    stop = redis.stop
    world = await StoreWorld.open(redis.url)
  }, 60_000)
  afterAll(async () => {
    world.close()
    await stop()
  })
  const store = () => world
  const suites = [
    appendDmSuite,
    appendSuite,
    positionsSuite,
    groupsSuite,
    tellingsSuite,
    inboxSuite,
    sessionsSuite,
    onlineSuite,
    nodesSuite,
  ]
  for (const suite of suites) suite(store)
}
