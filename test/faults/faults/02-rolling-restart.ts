/** All gateways are replaced one after the other, as a deployment does it: nobody notices but by a short reconnect. */
import type { Fault } from '../fault.ts'
import type { Farewell } from '../load/tapped-socket.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'

/** Who was told when to come back is back so long after that at the latest, ms. */
const LATE_MS = 1_000

const lateBy = ({ at, retryIn, backAt }: Farewell) => (backAt ?? Number.POSITIVE_INFINITY) - (at + retryIn)

export const fault: Fault = {
  number: 2,
  title: 'Rolling restart of all gateways (SIGTERM)',
  scenes: [
    scene({
      name: 'one after the other',
      redis: () => SingleRedis.start(),
      trial: (_redis, scale) => (scale.quick ? { env: { DRAIN_SECONDS: '2' } } : {}),
      async act({ trial, scale }) {
        const { gateways, load } = trial
        for (const gateway of scale.quick ? gateways.slice(0, 2) : gateways) {
          const { code } = await gateway.stop()
          trial.expect(code === 0, `${gateway.name} left with code ${code}`)
          await gateway.restart()
        }
        for (const device of await load.settled(30_000)) trial.expect(false, `${device.info.id} is not back`)
        const farewells = load.devices.flatMap(({ tap }) => tap.farewells)
        const late = farewells.map(lateBy).sort((a, b) => a - b)
        const latest = late.at(-1) ?? 0
        trial.figure('goodbyes', farewells.length)
        trial.figure('back after the time told, p50', Math.round(late[late.length >> 1] ?? 0), 'ms')
        trial.figure('back after the time told, latest', Math.round(latest), 'ms')
        trial.expect(farewells.length > 0, 'nobody was told to go')
        const tardy = late.filter((ms) => ms > LATE_MS).length
        trial.expect(tardy === 0, `${tardy} came back later than ${LATE_MS} ms after their retryIn`)
        const errors = load.sdk.flatMap(({ faults }) => faults)
        trial.figure('errors that SDK users saw', errors.length)
        trial.expect(errors.length === 0, `SDK users saw errors: ${errors.slice(0, 3).join('; ')}`)
      },
    }),
  ],
}
