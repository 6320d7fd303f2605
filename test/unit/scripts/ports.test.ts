import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePort, isFree } from '../../../scripts/lib/ports.ts'

it('gives a port that one can listen on', async () => {
  expect(await isFree(await freePort(), '127.0.0.1')).toBe(true)
})

it('gives no port twice, and none that outgoing connections take', async () => {
  const ports = await Promise.all(Array.from({ length: 100 }, freePort))
  expect(new Set(ports).size).toBe(100)
  expect(Math.max(...ports)).toBeLessThan(32_768)
})

it('sees that a port is taken, on all addresses too', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  expect(await isFree(port, '127.0.0.1')).toBe(false)
  expect(await isFree(port, '0.0.0.0')).toBe(false)
  server.close()
})
