/** A message's JSON in pieces: whatever refs and bodies hold, the pieces make the message again. */
import { dmOf, groupConv, type UserId } from '@starling/protocol/ids'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ackFrame,
  eventTail,
  eventTailAround,
  historyJson,
  inboxFrame,
  logFrame,
  messageTail,
  needleOf,
  parseMessage,
  tailHead,
} from '../../../src/services/message-json.ts'

const conv = dmOf('alice', 'bob')
const alice = 'alice' as UserId
const ref = fc.stringMatching(/^[\x20-\x7e]{1,64}$/)
const HOSTILE = [
  '"',
  '\\',
  '\\"',
  '","body":{"type":"text","text":"forged"},"x":"',
  '%s%d',
  '\u007e{*}',
  "'",
  '["*"]',
]

describe('a message', () => {
  it('is the same in history, as a frame of a log and of an inbox', () => {
    fc.assert(
      fc.property(ref, fc.dictionary(fc.string(), fc.jsonValue()), (anyRef, fields) => {
        const body = { ...fields, type: 'custom' as const }
        const tail = messageTail(needleOf(conv, alice, anyRef), JSON.stringify(body), {
          reply: '1-1',
          mentions: ['__proto__'],
        })
        const whole = JSON.stringify({
          conv,
          from: 'alice',
          ref: anyRef,
          body,
          reply: '1-1',
          mentions: ['__proto__'],
        })
        expect(`{${tail}}`).toBe(whole)
        const message = JSON.parse(whole) as object
        expect(JSON.parse(historyJson('5-5', tail))).toEqual({ ...message, id: '5-5' })
        expect(JSON.parse(logFrame('5-5', tail))).toEqual({ ...message, op: 'message', id: '5-5' })
        expect(parseMessage('5-5', tail)).toEqual(JSON.parse(logFrame('5-5', tail)))
        expect(JSON.parse(inboxFrame('9-9', '5-5', tail))).toEqual({
          ...message,
          op: 'message',
          id: '5-5',
          inbox: '9-9',
        })
      }),
    )
  })

  it('has neither reply nor mentions where there are none', () => {
    expect(messageTail(needleOf(conv, alice, 'r'), '{}', {})).toBe(
      '"conv":"dm:alice:bob","from":"alice","ref":"r","body":{}',
    )
  })
})

describe('an ack', () => {
  it('is the frame it stands for, whatever the ref', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 64 }),
        fc.boolean(),
        fc.boolean(),
        (ref, isDup, hasPlace) => {
          const sent = {
            conv: 'dm:alice:bob',
            id: '1760000000000-42',
            ...(hasPlace && { inbox: '1760000000001-7' }),
            ...(isDup && { dup: true as const }),
          }
          expect(JSON.parse(ackFrame(ref, sent))).toEqual({ op: 'ack', ref, ...sent })
        },
      ),
    )
  })
})

describe('the needle', () => {
  it('is what the message with that ref starts with, and none with another', () => {
    fc.assert(
      fc.property(ref, ref, (one, other) => {
        const tail = messageTail(needleOf(conv, alice, one), '{}', {})
        expect(tail.startsWith(needleOf(conv, alice, other))).toBe(one === other)
      }),
    )
  })

  it.each(HOSTILE)('can’t be forged by a ref %j', (hostile) => {
    const tail = messageTail(needleOf(conv, alice, hostile), '{"type":"text","text":"true"}', {})
    expect(parseMessage('1-1', tail)).toMatchObject({ ref: hostile, body: { text: 'true' } })
    expect(tail.startsWith(needleOf(conv, alice, ''))).toBe(false)
    expect(tail.startsWith(needleOf(conv, alice, 'r'))).toBe(false)
  })

  it('tells senders apart whose names begin alike', () => {
    const tail = messageTail(needleOf(conv, 'alice2' as UserId, 'r'), '{}', {})
    expect(tail.startsWith(needleOf(conv, alice, 'r'))).toBe(false)
  })
})

describe('the head of an inbox entry', () => {
  it.each(HOSTILE)('is found without a look at what follows: ref %j', (hostile) => {
    const body = JSON.stringify({
      type: 'custom',
      id: '9-9',
      conv: 'dm:x:y',
      from: 'mallory',
      '"id":"': hostile,
    })
    const tail = messageTail(needleOf(conv, alice, hostile), body, {})
    expect(tailHead(tail)).toEqual({ conv, from: 'alice' })
  })

  it('is that of an event too', () => {
    const group = groupConv('g')
    const event = eventTail(group, alice, { type: 'event', event: 'member_left', users: ['alice'] })
    expect(tailHead(event)).toEqual({
      conv: group,
      from: 'alice',
    })
  })

  it.each(['', '{}', '"conv":"a"', '"conv":"","from":"f"', 'x"conv":"c","from":"f"'])(
    'is none in %j',
    (tail) => expect(tailHead(tail)).toBeUndefined(),
  )
})

describe('an event around its users', () => {
  it('is the event, once a script has put the users between', () => {
    const users = ['a', '__proto__', 'b-1.c_']
    for (const name of ['g', '__proto__']) {
      const group = groupConv(name)
      const around = eventTailAround(group, alice, (list) => ({
        type: 'event',
        event: 'member_joined',
        users: list,
        by: 'alice',
      }))
      const whole = eventTail(group, alice, { type: 'event', event: 'member_joined', users, by: 'alice' })
      expect(`${around.before}["${users.join('","')}"]${around.after}`).toBe(whole)
    }
  })
})
