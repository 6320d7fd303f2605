/** What running gateways show at /metrics of what has happened to them. */
import { expect, test } from 'vitest'
import { until, useWorld } from '../support/harness.ts'
import type { Gateway } from '../support/harness-gateway.ts'

const world = await useWorld()
const { gw1, gw2 } = world

/** @returns series, as they are written, → value */
async function metricsOf(gateway: Gateway): Promise<Map<string, number>> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith('starling_'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

/** Waits until series have these values, and says which have not. */
async function shows(gateway: Gateway, wanted: Record<string, number>): Promise<void> {
  let shown: Record<string, number | undefined> = {}
  const isShown = async () => {
    const metrics = await metricsOf(gateway)
    shown = Object.fromEntries(Object.keys(wanted).map((series) => [series, metrics.get(series)]))
    return Object.entries(wanted).every(([series, value]) => shown[series] === value)
  }
  await until(isShown, 5_000, JSON.stringify(wanted)).catch(() => {})
  expect(shown).toEqual(wanted)
}

test('messages over two gateways are counted where they are sent, and where they arrive', async () => {
  const alice = await world.user('alice').connect(gw1)
  const bob = world.user('bob')
  const [phone, laptop] = [await bob.connect(gw2), await bob.connect(gw2)]
  const before = await metricsOf(gw2)
  const { id } = await alice.send(bob, 'counted')
  await Promise.all([phone.expects('message', { id }), laptop.expects('message', { id })])

  await shows(gw1, {
    'starling_handshakes_total{result="taken"}': 1,
    'starling_hellos_total{result="ok"}': 1,
    'starling_frames_total{op="send"}': 1,
    'starling_sends_total{kind="user",result="ok"}': 1,
    starling_ack_latency_seconds_count: 1,
    'starling_redis_script_seconds_count{script="conv/append-dm"}': 1,
    starling_connections: 1,
    starling_sessions: 1,
    starling_users: 1,
  })
  await shows(gw2, {
    starling_delivery_latency_seconds_count: 1,
    starling_ack_latency_seconds_count: 0,
    starling_connections: 2,
    starling_sessions: 2,
    starling_users: 1,
  })
  // The message to both; a list of sessions may have been on its way as well.
  const sockets = 'starling_fanout_sockets_sum'
  expect((await metricsOf(gw2)).get(sockets)! - before.get(sockets)!).toBeGreaterThanOrEqual(2)
})

test('refusals and ends are counted by their reason', async () => {
  const alice = await world.user('alice').connect(gw1)
  const closes = 'starling_closes_total{code="4000"}'
  const before = (await metricsOf(gw1)).get(closes) ?? 0
  await alice.refused({ op: 'send', to: 'user:system', body: { type: 'text', text: 'no' }, ref: 'r' })
  await expect(world.open(gw1, { protocols: [] })).rejects.toThrow('refused with 400')
  await expect(world.open(gw1, { origin: 'https://elsewhere.example' })).rejects.toThrow('refused with 403')
  const stranger = await world.open(gw1)
  stranger.say({ op: 'hello', token: 'none', device: 'd' })
  await stranger.expects('error')
  for (const line of ['{', '{', '{']) alice.say(line)
  await shows(gw1, {
    'starling_sends_total{kind="user",result="forbidden"}': 1,
    'starling_errors_total{code="forbidden"}': 1,
    'starling_errors_total{code="internal"}': 0,
    'starling_handshakes_total{result="subprotocol"}': 1,
    'starling_handshakes_total{result="origin"}': 1,
    'starling_hellos_total{result="unauthorized"}': 1,
    'starling_closes_total{code="4001"}': 1,
    [closes]: before + 1,
  })
})

test('a gateway in good health shows its signs of life', async () => {
  const metrics = await metricsOf(gw1)
  expect(metrics.get('starling_ready')).toBe(1)
  expect(metrics.get('starling_draining')).toBe(0)
  expect(metrics.get('starling_subscriptions')).toBe(1)
  expect(metrics.get('starling_canary_age_seconds')).toBeLessThan(3)
  expect(metrics.get('starling_lease_age_seconds')).toBeLessThan(15)
  expect(metrics.get('starling_outgoing_waiting_bytes')).toBe(0)
})
