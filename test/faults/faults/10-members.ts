/** Members are removed and added while their group is busy: the border is where the log has it, for every device. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { ask } from '../load/history-api.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'

const ROUNDS = { all: 40, quick: 5 }
/** How many members are out at a time. */
const OUT = 3

export const fault: Fault = {
  number: 10,
  title: 'Members removed and added while the group is busy',
  scenes: [
    scene({
      name: 'in every group at once',
      redis: () => SingleRedis.start(),
      async act({ trial, scale }) {
        const { load, access } = trial
        let changes = 0
        const change = async (owner: string, method: string, path: string, body?: unknown) => {
          const answer = await ask(access, owner, path, { method, body })
          trial.expect(answer.status === 200, `${method} ${path}: ${answer.status}`)
          changes++
        }
        const rounds = scale.quick ? ROUNDS.quick : ROUNDS.all
        await Promise.all(
          [...load.groups].map(async ([id, members], n) => {
            const [owner, ...others] = members
            for (let round = 0; round < rounds; round++) {
              const out = Array.from(
                { length: OUT },
                (_, k) => others[(round * 5 + n + k * 7) % others.length]!,
              )
              for (const user of new Set(out)) await change(owner!, 'DELETE', `/groups/${id}/members/${user}`)
              await sleep(Math.random() * 400)
              await change(owner!, 'POST', `/groups/${id}/members`, { users: [...new Set(out)] })
              await sleep(Math.random() * 400)
            }
            // Half of the groups end with somebody outside.
            if (n % 2 === 0) await change(owner!, 'DELETE', `/groups/${id}/members/${others[n]}`)
          }),
        )
        trial.figure('removals and additions', changes)
      },
    }),
  ],
}
