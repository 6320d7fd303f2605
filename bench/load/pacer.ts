/**
 * A clock that ticks finer than timers, which know only whole milliseconds: a thread that sleeps to the µs and says
 * when something is due.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { nowUs } from './clock.ts'

/** Ticks are this far apart at least, µs: one for each of twenty thousand a second took most of a core from what is measured. */
const TICK_US = 200

export interface Schedule {
  startUs: number
  endUs: number
  ratePerSecond: number
}

const dueAt = ({ startUs, ratePerSecond }: Schedule, index: number): number =>
  Math.floor(startUs + (index * 1e6) / ratePerSecond)

const countOf = ({ startUs, endUs, ratePerSecond }: Schedule): number =>
  Math.floor(((endUs - startUs) / 1e6) * ratePerSecond)

/** Says for each item of a schedule that it is due, and when it was; those that are late come at once. */
export async function pace(schedule: Schedule, due: (index: number, dueUs: number) => void): Promise<void> {
  const clock = new Worker(new URL(import.meta.url), { workerData: schedule })
  const count = countOf(schedule)
  let index = 0
  try {
    await new Promise<void>((resolve, reject) => {
      clock.on('error', reject)
      // How many are due is the thread's word: read here, the clock may still be a µs before the last one.
      clock.on('message', (dueBy: number) => {
        for (; index < dueBy; index++) due(index, dueAt(schedule, index))
        if (index === count) resolve()
      })
    })
  } finally {
    await clock.terminate()
  }
}

function tick(schedule: Schedule): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  const count = countOf(schedule)
  for (let index = 0, now = 0; index < count; ) {
    const leftUs = Math.max(dueAt(schedule, index), now + TICK_US) - nowUs()
    if (leftUs > 0) Atomics.wait(sleeper, 0, 0, leftUs / 1e3)
    now = nowUs()
    while (index < count && dueAt(schedule, index) <= now) index++
    parentPort?.postMessage(index)
  }
}

if (!isMainThread) tick(workerData as Schedule)
