/**
 * Who may say what over a connection: every op there is, for everybody who may come along. An op without a row here
 * fails, so that a new one is thought of.
 */
import type { ErrorCode } from '@starling/protocol/errors'
import type { ClientOp } from '@starling/protocol/frames'
import { clientFrame } from '@starling/protocol/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Backstage } from '../support/backstage.ts'
import { useWorld } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'
import { ROLES, type Scene, type Somebody, setScene } from '../support/scene.ts'
import type { WireClient } from '../support/wire-client.ts'

const world = await useWorld({ gateways: 1 })
const backstage = new Backstage(world.cluster)
afterAll(() => backstage.close())

/** `nothing`: it is granted, and shows nothing of what isn't theirs. */
type Verdict = 'ok' | 'nothing' | ErrorCode

interface Row {
  op: ClientOp
  /** Which kind of thing it is about, where it matters. */
  of?: string
  fields: (scene: Scene, role: Somebody) => object
  expects: Readonly<Record<Somebody, Verdict>>
  /** Where there is no reply: what shows that it was done. The owner is listening. */
  shows?: (scene: Scene, role: Somebody, owner: WireClient) => Promise<unknown>
}

const users = (all: Verdict, but: Partial<Record<Somebody, Verdict>> = {}): Record<Somebody, Verdict> => ({
  outsider: all,
  member: all,
  muted: all,
  removed: all,
  admin: all,
  owner: all,
  other: all,
  ...but,
})
const inside = (foreign: Verdict, but: Partial<Record<Somebody, Verdict>> = {}) =>
  users('ok', { outsider: foreign, removed: foreign, other: foreign, ...but })
const ofTheTwo = (foreign: Verdict) => users(foreign, { owner: 'ok', member: 'ok' })

const toAll = { body: text('hi'), mentions: [] }

const rows: Row[] = [
  {
    op: 'hello',
    of: 'once more',
    fields: ({ people }, role) => ({ token: people[role].token(), device: 'd' }),
    expects: users('bad_request'),
  },
  {
    op: 'hello',
    of: 'once more, as the owner',
    fields: ({ people }) => ({ token: people.owner.token(), device: 'd' }),
    expects: users('bad_request'),
  },
  {
    op: 'token',
    of: 'of oneself',
    fields: ({ people }, role) => ({ token: people[role].token() }),
    expects: users('ok'),
  },
  {
    op: 'token',
    of: 'of the owner',
    fields: ({ people }) => ({ token: people.owner.token() }),
    expects: users('forbidden', { owner: 'ok' }),
  },
  {
    op: 'token',
    of: 'that is the API key',
    fields: () => ({ token: world.cluster.apiKey }),
    expects: users('unauthorized'),
  },
  { op: 'ping', fields: () => ({}), expects: users('ok') },
  {
    op: 'send',
    of: 'a group',
    fields: ({ group }) => ({ to: group.target, ...toAll }),
    expects: inside('not_member', { muted: 'muted' }),
  },
  {
    op: 'send',
    of: 'a user',
    fields: ({ newcomer }) => ({ to: newcomer.target, ...toAll }),
    expects: users('ok'),
  },
  { op: 'send', of: 'system', fields: () => ({ to: 'user:system', ...toAll }), expects: users('forbidden') },
  {
    op: 'send',
    of: 'an open channel',
    fields: () => ({ to: 'channel:lobby', ...toAll }),
    expects: users('ok'),
  },
  {
    op: 'send',
    of: 'a channel of the server',
    fields: () => ({ to: 'channel:announcements', ...toAll }),
    expects: users('forbidden'),
  },
  {
    op: 'typing',
    of: 'a group',
    fields: ({ group }) => ({ to: group.target }),
    expects: inside('not_member'),
    shows: ({ group, people }, role, owner) =>
      owner.expects('typing', { conv: group.conv, from: people[role].id }),
  },
  {
    op: 'typing',
    of: 'a user',
    fields: ({ people }) => ({ to: people.owner.target }),
    expects: users('ok'),
    // To oneself there is nobody to tell.
    shows: async ({ people }, role, owner) =>
      role !== 'owner' && owner.expects('typing', { from: people[role].id }),
  },
  { op: 'typing', of: 'a channel', fields: () => ({ to: 'channel:lobby' }), expects: users('bad_request') },
  {
    op: 'read',
    of: 'a group',
    fields: ({ group }) => ({ conv: group.conv, id: '9999999999999-999' }),
    expects: inside('not_member'),
  },
  {
    op: 'read',
    of: 'a dm',
    fields: ({ dm }) => ({ conv: dm, id: '9999999999999-999' }),
    expects: ofTheTwo('not_found'),
  },
  { op: 'read', of: 'a channel', fields: () => ({ conv: 'channel:lobby', id: '0-1' }), expects: users('ok') },
  {
    op: 'received',
    fields: () => ({ inbox: '9999999999999-999' }),
    expects: users('ok'),
    shows: async () => {},
  },
  {
    op: 'sync',
    of: 'a group',
    fields: ({ group }) => ({ convs: { [group.conv]: '0-0' } }),
    expects: inside('nothing'),
  },
  { op: 'sync', of: 'a dm', fields: ({ dm }) => ({ convs: { [dm]: '0-0' } }), expects: ofTheTwo('nothing') },
  {
    op: 'sync',
    of: 'a channel',
    fields: () => ({ convs: { 'channel:lobby': '0-0' } }),
    expects: users('ok'),
  },
  { op: 'watch', fields: ({ people }) => ({ users: [people.owner.id, '*'] }), expects: users('ok') },
  { op: 'unwatch', fields: ({ people }) => ({ users: [people.owner.id, '*'] }), expects: users('ok') },
]

const NO_REPLY: ReadonlySet<ClientOp> = new Set(['typing', 'received'])
const ops = clientFrame.options.map(({ shape }) => shape.op.value)

test('every op has a row', () => {
  expect([...new Set(rows.map(({ op }) => op))].toSorted()).toEqual(ops.toSorted())
})

const titled = rows.map((row) => [row.of ? `${row.op}, ${row.of}` : row.op, row] as const)

describe.each(titled)('%s', (_title, { op, of, fields, expects, shows }) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await setScene(world, backstage)
  })
  const somebodies = ROLES.filter((role): role is Somebody => role !== 'key' && role !== 'none')

  test.each(somebodies)('as %s', async (role) => {
    const asker = await scene.people[role].connect()
    const owner = await scene.people.owner.connect()
    const frame = { op, ref: 'asked', ...fields(scene, role) }
    const before = await backstage.snapshot(`group:${scene.group.id}`)
    const verdict = expects[role]

    if (verdict === 'ok' && NO_REPLY.has(op)) {
      asker.say(frame)
      await shows?.(scene, role, owner)
      await asker.ping()
      expect(asker.seen('error')).toEqual([])
      return
    }
    const reply = await asker.ask(frame)
    if (verdict === 'ok') {
      expect(reply.op).not.toBe('error')
      if (op === 'sync' && of !== 'a channel') expect(asker.seen('batch')).not.toEqual([])
      return
    }
    if (verdict === 'nothing') {
      expect(reply).toMatchObject({ op: 'synced', convs: [] })
      expect(asker.seen('batch')).toEqual([])
    } else {
      expect(reply).toMatchObject({ op: 'error', code: verdict })
    }
    // What was refused did nothing, and was told to nobody.
    expect(await backstage.snapshot(`group:${scene.group.id}`)).toBe(before)
    for (const kind of ['message', 'typing', 'receipt'] as const) {
      await owner.expectsNothing(kind, (sent: object) => JSON.stringify(sent).includes(scene.people[role].id))
    }
    expect(asker.end).toBeUndefined()
    await Promise.all([asker.close(), owner.close()])
  })

  test.each(['key', 'none'])('as %s', async (role) => {
    const owner = await scene.people.owner.connect()
    const before = await backstage.snapshot(`group:${scene.group.id}`)
    const line = await world.open()
    if (role === 'key') line.say({ op: 'hello', token: world.cluster.apiKey, device: 'd' })
    // A hello needs no hello before it: without a token it is no more than an unauthorized one.
    const isHello = role === 'none' && op === 'hello'
    line.say({ op, ref: 'asked', ...fields(scene, 'owner'), ...(isHello && { token: undefined }) })
    expect((await line.closes()).code).toBe(role === 'key' || isHello ? 4001 : 4000)
    expect(line.frames.filter((frame) => frame.op !== 'error')).toEqual([])
    expect(await backstage.snapshot(`group:${scene.group.id}`)).toBe(before)
    await owner.expectsNothing('message')
  })
})
