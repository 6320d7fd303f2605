/** Ports of this machine: a free one, or whether a given one is. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/**
 * Processes that run side by side pick from ranges of their own: a port that one has found free, and where nobody listens yet,
 * is free for all others. All lie below the ports the kernel gives to outgoing connections, so that nobody takes one while
 * what listens there is down.
 */
const RANGES = { first: 10_000, size: 500, count: 44 }
let range: Promise<number> | undefined
let given = 0

/** @returns a port of 127.0.0.1 that nothing listens on; it comes again after all others of this process' range */
export async function freePort(): Promise<number> {
  range ??= takeRange()
  const first = await range
  for (;;) {
    const port = first + (given++ % (RANGES.size - 1))
    if (await isFree(port, '127.0.0.1')) return port
  }
}

/** Whether one could listen there. Asked beforehand, since a gateway shares a port without a word (SO_REUSEPORT). */
export async function isFree(port: number, host: string): Promise<boolean> {
  const server = await listens(port, host)
  if (!server) return false
  server.close()
  await once(server, 'close')
  return true
}

/** Takes a range by listening on its first port, until this process ends. @returns the first of the others */
async function takeRange(): Promise<number> {
  for (let number = 0; number < RANGES.count; number++) {
    const port = RANGES.first + number * RANGES.size
    const holder = await listens(port, '127.0.0.1')
    if (!holder) continue
    holder.unref()
    return port + 1
  }
  throw new Error('all ranges of ports are taken')
}

/** @returns a server on that port; undefined where somebody else has it */
function listens(port: number, host: string): Promise<Server | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined))
    server.listen({ port, host, exclusive: true }, () => resolve(server))
  })
}
