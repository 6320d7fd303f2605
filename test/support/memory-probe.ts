/**
 * What a gateway process holds when nothing is garbage any more: asked of its inspector, which can collect first.
 * The process must have been started with `INSPECTED` in its environment.
 */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { until } from './harness.ts'
import type { Gateway } from './harness-gateway.ts'

/** Settings that open the inspector on a free port of this machine. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

/** Bytes. */
export interface Memory {
  rss: number
  /** The heap in use, and what lies outside of it for buffers. */
  used: number
}

export const MIB = 1024 * 1024

const ADDRESS = /Debugger listening on (ws:\S+)/

/** @returns the memory of a gateway after a full collection */
export async function memoryOf(gateway: Gateway): Promise<Memory> {
  const url = ADDRESS.exec(gateway.output)?.[1]
  if (!url) throw new Error('the gateway was not started with INSPECTED')
  const socket = new WebSocket(url)
  await once(socket, 'open')
  let next = 0
  const call = async (method: string, params: object = {}): Promise<unknown> => {
    const id = ++next
    socket.send(JSON.stringify({ id, method, params }))
    for (;;) {
      const [data] = (await once(socket, 'message')) as [Buffer]
      const reply = JSON.parse(data.toString()) as { id?: number; result?: unknown }
      if (reply.id === id) return reply.result
    }
  }
  try {
    // The second one takes what the finalizers of the first have let go.
    await call('HeapProfiler.collectGarbage')
    await call('HeapProfiler.collectGarbage')
    const expression = 'JSON.stringify(process.memoryUsage())'
    const { result } = (await call('Runtime.evaluate', { expression })) as { result: { value: string } }
    const { rss, heapUsed, external } = JSON.parse(result.value) as NodeJS.MemoryUsage
    return { rss, used: heapUsed + external }
  } finally {
    socket.terminate()
  }
}

/** Waits until a gateway holds hardly more than before; buffers take a moment to be let go. */
export async function memoryIsBack(gateway: Gateway, before: Memory, growth: Memory): Promise<Memory> {
  return until(
    async () => {
      const now = await memoryOf(gateway)
      return now.used - before.used < growth.used && now.rss - before.rss < growth.rss && now
    },
    15_000,
    `the memory of before: ${JSON.stringify(before)}`,
  )
}
