/** One user on 16 devices, each coming and going: by broken lines, and by an application that is ended and started. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'

const DEVICES = 16
const LASTS_MS = { all: 25_000, quick: 6_000 }
/** How long a device stays, and stays away, at most, ms. */
const STAY_MS = 3_000
const AWAY_MS = 2_500
/** The user at hand: a member of a group, with peers, and one device already. */
const USER_AT = 30

export const fault: Fault = {
  number: 12,
  title: 'One user on 16 devices, each coming and going',
  scenes: [
    scene({
      name: 'lines broken, applications restarted',
      redis: () => SingleRedis.start(),
      // A session that broke counts until the gateway knows: beside 16 that come back there must be room for those.
      trial: () => ({ env: { MAX_SESSIONS: '64' } }),
      async act({ trial, scale }) {
        const { load } = trial
        const user = load.population.users[USER_AT]!
        for (let n = 1; n < DEVICES; n++)
          load.add({ id: `${user}/${user}-${n}`, user, kind: 'sdk' }).connect()
        await load.settled(30_000)
        const devices = load.sdk.filter(({ info }) => info.user === user)
        const until = performance.now() + (scale.quick ? LASTS_MS.quick : LASTS_MS.all)
        let goings = 0
        await Promise.all(
          devices.map(async (device) => {
            while (performance.now() < until) {
              await sleep(Math.random() * STAY_MS)
              goings++
              if (Math.random() < 0.5) device.drop()
              else {
                // Whoever closes an application with something unsent means it; here it would only stay unsent.
                await load.settled(10_000, [device])
                await device.restart(sleep(Math.random() * AWAY_MS))
              }
            }
          }),
        )
        trial.figure('devices of the user', devices.length)
        trial.figure('goings and comings', goings)
        trial.expect(devices.length === DEVICES, `${devices.length} devices`)
      },
    }),
  ],
}
