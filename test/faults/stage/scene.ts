/** The frame that all scenes have in common: stage up, fault, judgement, stage down, whatever happens. */
import type { Loss, Scale, Scene } from '../fault.ts'
import { QUICK_SIZE, SIZE } from '../load/population.ts'
import type { RedisUnderTest } from './redis.ts'
import { type Result, Trial, type TrialOptions } from './trial.ts'

interface SceneOptions<Redis extends RedisUnderTest> {
  name: string
  mayLose?: Loss
  redis: () => Promise<Redis>
  /** Settings of the trial beyond, once the Redis is there. */
  trial?: (redis: Redis, scale: Scale) => Partial<TrialOptions> | Promise<Partial<TrialOptions>>
  /** The fault; when it resolves everything has been healed. */
  act: (on: { trial: Trial; redis: Redis; scale: Scale }) => Promise<void>
  /** Ends what `trial` has made. */
  end?: () => void
}

export function scene<Redis extends RedisUnderTest>(options: SceneOptions<Redis>): Scene {
  const { name, mayLose, act, end } = options
  return {
    name,
    ...(mayLose && { mayLose }),
    async run(scale): Promise<Result> {
      const redis = await options.redis()
      let trial: Trial | undefined
      try {
        const more = (await options.trial?.(redis, scale)) ?? {}
        const size = scale.quick ? QUICK_SIZE : SIZE
        trial = await Trial.start({ redis, messages: scale.messages, size, ...more })
        await act({ trial, redis, scale })
        return await trial.finish()
      } finally {
        await trial?.close()
        end?.()
        await redis.stop()
      }
    },
  }
}
