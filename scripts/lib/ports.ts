/** Ports of this machine: a free one, or whether a given one is. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that Linux gives to outgoing connections, which take them at any moment. */
const [FIRST, END] = [10_000, 32_768]
/** Looked at before by this process: whoever was given one may not listen there yet. */
const given = new Set<number>()

/** A port of loopback that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port, '127.0.0.1')) return port
  }
}

/** Whether one could listen there. Asked beforehand, since a gateway shares a port without a word (SO_REUSEPORT). */
export async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host)
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  await new Promise((closed) => server.close(closed))
  return true
}
