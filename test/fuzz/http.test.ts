/**
 * What anybody might ask over HTTP. Every answer is one of the page: a refusal in its form with the status of its code,
 * or what the documentation says; never a fault of ours.
 */
import { ERROR_CODES } from '@starling/protocol/errors'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { useWorld } from '../support/harness.ts'
import { INSPECTED, MIB, memoryIsBack, memoryOf } from '../support/memory-probe.ts'
import { errorFields } from '../support/server-frame-schema.ts'
import { bareApp } from '../unit/http/bare-app.ts'
import { type Asked, asked } from './support/requests.ts'

/** A request costs about ten frames. */
const REQUESTS = Number(process.env['FUZZ_FRAMES'] ?? 10_000) / 10
const LANES = 8

const world = await useWorld({ gateways: 1, env: INSPECTED })
const { gw1 } = world
const [alice, bob] = [world.user('alice'), world.user('bob')]
const group = await alice.createGroup({ members: [bob] })
const bystander = await world.user('bystander').connect()
const endpoints = bareApp().app.routes.flatMap(({ method, path }) =>
  method === 'ALL' ? [] : [`${method} ${path.replace(/:(\w+)/g, '{$1}')}`],
)
const requests = asked({
  endpoints,
  values: [alice.id, bob.id, group.id, group.conv, 'channel:lobby', '1', '0-1'],
  bearers: [alice.token(), bob.token(), alice.token(), world.cluster.apiKey, undefined, 'nonsense', 'a.b.c'],
})

const refusal = z.strictObject({ error: z.strictObject(errorFields) })

async function ask({ method, path, headers, body }: Asked): Promise<void> {
  const answer = await fetch(gw1.url + path, { method, headers, ...(body !== undefined && { body }) })
  const words = await answer.text()
  expect(answer.headers.get('x-injected')).toBeNull()
  if ([200, 201, 204, 304].includes(answer.status)) {
    if (answer.headers.get('content-type')?.startsWith('application/json') && words !== '') JSON.parse(words)
    return
  }
  if (method === 'HEAD') {
    expect(answer.status).toBeLessThan(500)
    return
  }
  const { error } = refusal.parse(JSON.parse(words))
  expect(answer.status).toBe(ERROR_CODES[error.code].status)
  // Attempts to sign in have a limit; nothing else may say that it can't.
  expect(['internal', 'unavailable', 'overloaded']).not.toContain(error.code)
}

async function fuzz(count: number): Promise<void> {
  const numRuns = Math.ceil(count / LANES)
  const property = fc.asyncProperty(requests, ask)
  await Promise.all(Array.from({ length: LANES }, () => fc.assert(property, { numRuns, endOnFailure: true })))
}

test(`${REQUESTS} requests are answered as the page says, disturb nobody, and leave no memory behind`, {
  timeout: 600_000,
}, async () => {
  await fuzz(REQUESTS / 2)
  const warm = await memoryOf(gw1)
  await fuzz(REQUESTS / 2)
  // What was held after one half is held after the other: pools are filled, caches have their size.
  const after = await memoryIsBack(gw1, warm, { used: 4 * MIB, rss: 48 * MIB })
  console.log(`${REQUESTS} requests: used ${warm.used / MIB} → ${after.used / MIB} MiB`)
  await bystander.ping()
  expect(await gw1.status('/readyz')).toBe(200)
  expect(gw1.output).not.toContain('"level":50')
  for (const secret of [world.cluster.apiKey, world.cluster.jwtSecret])
    expect(gw1.output).not.toContain(secret)
})
