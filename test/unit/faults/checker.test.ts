/** The judge is judged: each history here breaks one promise, and it must say which, where and by which ids. */
import { describe, expect, it } from 'vitest'
import { check } from '../../faults/checker.ts'
import { DM, GROUP, happened, Story, said } from './story.ts'

const [first, second, third] = [
  said(DM, '1000-1', 'alice', 'a1'),
  said(DM, '1001-2', 'bob', 'b1'),
  said(DM, '1002-3', 'alice', 'a2'),
]
const [one, two, three] = [
  said(GROUP, '1000-1', 'alice', 'g1'),
  said(GROUP, '1001-2', 'bob', 'g2'),
  said(GROUP, '1002-3', 'alice', 'g3'),
]
const EVERYBODY = ['alice/1', 'bob/1', 'bob/2', 'carol/1']
const PAIR = ['alice/1', 'bob/1', 'bob/2']

/** Who has a dm and a group, with nothing wrong. */
const healthy = () =>
  new Story(...EVERYBODY)
    .message(first, PAIR)
    .message(second, PAIR)
    .message(third, PAIR)
    .message(one, EVERYBODY)
    .message(two, EVERYBODY)
    .message(three, EVERYBODY)

const without = (story: Story, client: string, id: string, conv: string): Story => {
  story.lines = story.lines.filter(
    (line) =>
      !(
        line.is === 'message' &&
        line.client === client &&
        line.message.id === id &&
        line.message.conv === conv
      ),
  )
  return story
}

/** Moves the line of one message at one client to the end. */
const late = (story: Story, client: string, id: string, conv: string): Story => {
  const moved = story.lines.filter(
    (line) =>
      line.is === 'message' && line.client === client && line.message.id === id && line.message.conv === conv,
  )
  without(story, client, id, conv)
  story.lines.push(...moved)
  return story
}

describe('the checker', () => {
  it('finds nothing where nothing is wrong', () => {
    expect(check(healthy().history())).toEqual([])
  })

  describe('[P1] names what is lost', () => {
    it('at one device of many', () => {
      expect(check(without(healthy(), 'bob/2', '1001-2', DM).history())).toEqual([
        expect.objectContaining({ kind: 'lost', conv: DM, client: 'bob/2', ids: ['1001-2'], refs: ['b1'] }),
      ])
    })

    it('at the sender itself', () => {
      expect(check(without(healthy(), 'alice/1', '1002-3', GROUP).history())).toEqual([
        expect.objectContaining({ kind: 'lost', conv: GROUP, client: 'alice/1', ids: ['1002-3'] }),
      ])
    })

    it('in the log, though every device has it', () => {
      const story = healthy()
      story.logs.set(DM, [first, third])
      expect(check(story.history())).toEqual([
        expect.objectContaining({ kind: 'lost-in-log', conv: DM, ids: ['1001-2'], refs: ['b1'] }),
        ...PAIR.map((client) => expect.objectContaining({ kind: 'phantom', client, ids: ['1001-2'] })),
      ])
    })

    it('an event of the group', () => {
      const joined = happened('1003-4', 'member_joined', 'dave')
      const story = healthy().store(joined)
      for (const client of EVERYBODY.slice(1)) story.shows(client, joined)
      expect(check(story.history())).toEqual([
        expect.objectContaining({ kind: 'lost', conv: GROUP, client: 'alice/1', ids: ['1003-4'] }),
      ])
    })

    it('without a word, because the log no longer has it; who was told to load is not wronged', () => {
      const story = without(healthy(), 'bob/2', '1000-1', GROUP)
      story.logs.set(GROUP, [two, three])
      expect(check(story.history())).toEqual([
        expect.objectContaining({
          kind: 'lost',
          conv: GROUP,
          client: 'bob/2',
          ids: ['1000-1'],
          refs: ['g1'],
        }),
      ])
      expect(check(story.add({ is: 'reload', client: 'bob/2', convs: 'all' }).history())).toEqual([])
    })
  })

  describe('[P2] names what is doubled', () => {
    it('shown twice by the SDK', () => {
      expect(check(healthy().shows('bob/1', second).history())).toEqual([
        expect.objectContaining({
          kind: 'doubled',
          conv: DM,
          client: 'bob/1',
          ids: ['1001-2'],
          refs: ['b1'],
        }),
      ])
    })

    it('but not what came twice on raw frames, which drop by id', () => {
      const story = new Story('alice/1', 'bob/1')
      story.raw.add('bob/1')
      story.message(first, ['alice/1', 'bob/1']).shows('bob/1', first, 'synced')
      expect(check(story.history())).toEqual([])
    })

    it('stored twice', () => {
      const again = { ...first, id: '1003-4' }
      const story = healthy().store(again)
      for (const client of PAIR) story.shows(client, again)
      expect(check(story.history())).toEqual([
        expect.objectContaining({ kind: 'doubled', conv: DM, ids: ['1000-1', '1003-4'], refs: ['a1'] }),
        ...PAIR.map((client) =>
          expect.objectContaining({ kind: 'doubled', client, ids: ['1000-1', '1003-4'], refs: ['a1'] }),
        ),
      ])
    })

    it('acked with two ids', () => {
      const again = { ...first, id: '1003-4' }
      expect(check(healthy().ack(again, 'alice/1').history())).toContainEqual(
        expect.objectContaining({ kind: 'doubled', conv: DM, ids: ['1000-1', '1003-4'], refs: ['a1'] }),
      )
    })
  })

  describe('[P3] names what is swapped', () => {
    it('at one device of a group', () => {
      expect(check(late(healthy(), 'carol/1', '1001-2', GROUP).history())).toEqual([
        expect.objectContaining({ kind: 'order', conv: GROUP, client: 'carol/1', ids: ['1002-3', '1001-2'] }),
      ])
    })

    it('at one device of a dm, where the one was acked before the other was sent', () => {
      expect(check(late(healthy(), 'bob/2', '1000-1', DM).history())).toEqual([
        expect.objectContaining({ kind: 'order', conv: DM, client: 'bob/2', ids: ['1001-2', '1000-1'] }),
      ])
    })

    it('at one device of a dm, by the places in its inbox', () => {
      const told = (message: typeof first, inbox: string) => ({ ...message, inbox })
      const story = new Story('alice/1', 'bob/1').message(first, ['alice/1']).message(second, ['alice/1'])
      story.shows('bob/1', told(second, '9-2')).shows('bob/1', told(first, '9-1'))
      expect(check(story.history())).toEqual([
        expect.objectContaining({ kind: 'order', conv: DM, client: 'bob/1', ids: ['1001-2', '1000-1'] }),
      ])
    })

    it('but not a dm whose sender had to try again', () => {
      const story = new Story('alice/1', 'bob/1').submit(first, 'alice/1').send(first, 'alice/1').store(first)
      story.message(second, ['bob/1']).send(first, 'alice/1', 2).ack(first, 'alice/1', 2, true)
      story.shows('bob/1', first).shows('alice/1', first).shows('alice/1', second)
      expect(check(story.history())).toEqual([])
    })

    it('on one connection of raw frames', () => {
      const story = new Story('alice/1', 'carol/1')
      story.members.set(GROUP, ['alice', 'carol'])
      story.raw.add('carol/1').add('alice/1')
      const ours = [one, { ...two, from: 'alice' }] as const
      for (const message of ours) story.message(message, ['alice/1'])
      story.shows('carol/1', ours[1]).shows('carol/1', ours[0])
      expect(check(story.history())).toEqual([
        expect.objectContaining({ kind: 'order', client: 'carol/1', ids: ['1001-2', '1000-1'] }),
      ])
    })

    it('by the sender: what the SDK was given first', () => {
      const story = new Story('alice/1', 'bob/1').submit(third, 'alice/1').submit(first, 'alice/1')
      for (const message of [first, third]) {
        story.send(message, 'alice/1').ack(message, 'alice/1').store(message)
        story.shows('alice/1', message).shows('bob/1', message)
      }
      expect(check(story.history())).toEqual([
        expect.objectContaining({ kind: 'sender-order', client: 'alice/1', ids: ['1002-3', '1000-1'] }),
      ])
    })

    it('by the sender: two sends of one connection, unless the first was refused for the moment', () => {
      const tell = (firstCode?: string) => {
        const story = new Story('alice/1', 'bob/1')
        story.raw.add('alice/1').add('bob/1')
        story.send(third, 'alice/1')
        if (firstCode) story.error(third, 'alice/1', firstCode)
        story.send(first, 'alice/1').ack(first, 'alice/1').store(first)
        if (firstCode) story.send(third, 'alice/1')
        story.ack(third, 'alice/1').store(third)
        for (const client of ['alice/1', 'bob/1']) story.shows(client, first).shows(client, third)
        return check(story.history())
      }
      expect(tell()).toEqual([
        expect.objectContaining({
          kind: 'sender-order',
          conv: DM,
          client: 'alice/1',
          ids: ['1002-3', '1000-1'],
        }),
      ])
      expect(tell('unavailable')).toEqual([])
    })
  })

  describe('names what is there and should not be', () => {
    const refused = said(GROUP, '1003-4', 'bob', 'g4')
    const sendsRefused = (code: string) => {
      const story = healthy().submit(refused, 'bob/1').send(refused, 'bob/1').error(refused, 'bob/1', code)
      story.store(refused)
      for (const client of EVERYBODY) story.shows(client, refused)
      return check(story.history())
    }

    it('a message that was refused; one that was `unavailable` may be there', () => {
      expect(sendsRefused('muted')).toEqual([
        expect.objectContaining({ kind: 'refused', conv: GROUP, user: 'bob', ids: ['1003-4'], refs: ['g4'] }),
      ])
      expect(sendsRefused('unavailable')).toEqual([])
    })

    it('[P6] what came to a removed member after the removal, at which device', () => {
      const removed = happened('1003-4', 'member_removed', 'carol')
      const after = said(GROUP, '1004-5', 'bob', 'g5')
      const others = ['alice/1', 'bob/1', 'bob/2']
      const story = healthy().store(removed)
      for (const client of EVERYBODY) story.shows(client, removed)
      story.message(after, others)
      expect(check(story.history())).toEqual([])
      expect(check(story.shows('carol/1', after).history())).toEqual([
        expect.objectContaining({
          kind: 'leaked',
          conv: GROUP,
          client: 'carol/1',
          user: 'carol',
          ids: ['1004-5'],
        }),
      ])
    })

    it('[P6] what was said while a member was out, once they are in again; what is said then is theirs', () => {
      const removed = happened('1003-4', 'member_removed', 'carol')
      const between = said(GROUP, '1004-5', 'bob', 'g5')
      const joined = happened('1005-6', 'member_joined', 'carol')
      const after = said(GROUP, '1006-7', 'bob', 'g7')
      const others = ['alice/1', 'bob/1', 'bob/2']
      const story = healthy().store(removed)
      for (const client of EVERYBODY) story.shows(client, removed)
      story.message(between, others).store(joined)
      for (const client of EVERYBODY) story.shows(client, joined)
      story.message(after, others)
      expect(check(story.history())).toEqual([
        expect.objectContaining({ kind: 'lost', conv: GROUP, client: 'carol/1', ids: ['1006-7'] }),
      ])
      story.shows('carol/1', after)
      expect(check(story.history())).toEqual([])
      story.shows('carol/1', between)
      expect(check(story.history())).toContainEqual(
        expect.objectContaining({ kind: 'leaked', client: 'carol/1', ids: ['1004-5'] }),
      )
    })

    it('[P6] a dm at somebody else', () => {
      expect(check(healthy().shows('carol/1', first).history())).toEqual([
        expect.objectContaining({ kind: 'leaked', conv: DM, client: 'carol/1', ids: ['1000-1'] }),
      ])
    })

    it('one id with two contents, and content that nobody has sent', () => {
      expect(
        check(
          healthy()
            .shows('bob/1', { ...first, body: { type: 'text', text: 'else' } }, 'synced')
            .history(),
        ),
      ).toEqual([expect.objectContaining({ kind: 'altered', client: 'bob/1', ids: ['1000-1'] })])
      const strange = said(DM, '1003-4', 'alice', 'a9')
      const story = healthy().store(strange)
      for (const client of PAIR) story.shows(client, strange)
      expect(new Set(check(story.history()).map(({ kind, refs }) => `${kind} ${refs}`))).toEqual(
        new Set(['invented a9']),
      )
    })

    it('an ack whose id is another message in the log', () => {
      const story = new Story('alice/1', 'bob/1').message(first, ['alice/1', 'bob/1'])
      story.submit({ ...third, id: '1000-1' }, 'alice/1').ack({ ...third, id: '1000-1' }, 'alice/1')
      expect(check(story.history())).toContainEqual(
        expect.objectContaining({ kind: 'altered', conv: DM, ids: ['1000-1'], refs: ['a2'] }),
      )
    })
  })

  describe('names a ref with a second id', () => {
    const again = { ...first, id: '1003-4' }
    const received = (story: Story, message: typeof first) => {
      const line = { is: 'message', client: 'bob/1', line: 1, way: 'shown', at: 50_000, message } as const
      story.lines.push(line)
      return check(story.history()).filter(({ client, refs }) => client === 'bob/1' && refs[0] === 'a1')
    }

    it('doubled where a log has the first one', () => {
      expect(received(healthy(), again).map(({ kind }) => kind)).toContain('doubled')
    })

    const lost = { ...first, id: '999-3' }
    const lostAt = (client: string, way: 'shown' | 'live') => {
      const story = healthy()
      story.lines.unshift({ is: 'message', client, line: 1, way, at: 0, message: lost })
      return story
    }
    const kindsOf = (story: Story) => new Set(check(story.history()).map(({ kind }) => kind))

    it('taken back where none has, and it was not acked', () => {
      expect(kindsOf(lostAt('bob/1', 'live'))).toEqual(new Set(['taken-back']))
    })

    it('rolled back where none has, though it was acked', () => {
      const story = lostAt('bob/1', 'live')
      const acked = story.lines.findIndex(({ is }) => is === 'ack')
      story.ack(lost, 'alice/1')
      story.lines.splice(acked, 0, story.lines.pop()!)
      const kinds = kindsOf(story)
      expect(kinds).toContain('rolled-back')
      expect(kinds).toContain('phantom')
      expect(kinds).not.toContain('doubled')
    })

    it('doubled where the SDK shows both, unless it says that the message has moved', () => {
      const story = lostAt('bob/1', 'shown')
      expect(kindsOf(story)).toContain('doubled')
      story.lines = story.lines.map((line) =>
        line.is === 'message' && line.client === 'bob/1' && line.message === first
          ? { is: 'moved', client: 'bob/1', conv: DM, was: lost.id, id: first.id }
          : line,
      )
      expect(check(story.history())).toEqual([])
    })
  })

  it('judges 10,000 messages to hundreds of users in seconds', { timeout: 20_000 }, () => {
    const users = Array.from({ length: 200 }, (_, n) => `u${n}`)
    const story = new Story(...users.map((user) => `${user}/1`))
    story.members.set(GROUP, users)
    const groupEveryone = users.map((user) => `${user}/1`)
    for (let n = 1; n <= 1_000; n++) {
      story.message(said(GROUP, `${n}-${n}`, `u${n % 200}`, `g${n}`), groupEveryone)
    }
    for (let n = 1; n <= 9_000; n++) {
      const [a, b] = [`u${n % 100}`, `v${n % 100}`]
      story.message(said(`dm:${a}:${b}`, `${n}-${Math.ceil(n / 100)}`, a, `d${n}`), [`${a}/1`])
    }
    without(story, 'u150/1', '700-700', GROUP)
    const startedAt = performance.now()
    expect(check(story.history())).toEqual([
      expect.objectContaining({ kind: 'lost', client: 'u150/1', ids: ['700-700'] }),
    ])
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})
