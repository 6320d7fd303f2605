/**
 * The messages of the conversations that have been opened: their logs as far as loaded, what is on its way out,
 * and drafts. Live messages extend a log; history and what no sync can bring come by HTTP.
 */
import { StarlingError } from '@starling/client'
import type { Message, UserBody } from '@starling/protocol/frames'
import { comparePositions, convOf, type Target } from '@starling/protocol/ids'
import { PAGE_MAX } from '@starling/protocol/limits'
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { failureText } from '../lib/failure.ts'
import { merge, recalledBy, withoutRecalled } from '../lib/log.ts'
import { refOf } from '../lib/ref.ts'
import { useAccountStore } from './account.ts'
import { useConnectionStore } from './connection.ts'
import { usePeopleStore } from './people.ts'

export interface Log {
  /** A run without holes up to the newest, in the order of ids. */
  messages: Message[]
  /** The server has older ones. */
  more: boolean
  state: 'loading' | 'done' | 'error'
  older: 'idle' | 'loading' | 'error'
  error?: unknown
}

/** An own message that is not acked. */
export interface Outgoing {
  ref: string
  to: string
  body: UserBody
  /** Unix ms of this device, when it was written. */
  at: number
  status: 'sending' | 'failed'
  /** Why it failed, in the user's words. */
  reason?: string
}

const PAGE = 60
/** Written by the server alone unless a deployment says otherwise; of other channels a refusal tells. */
const ANNOUNCEMENTS = 'channel:announcements'
const NOTHING: Log = { messages: [], more: false, state: 'loading', older: 'idle' }

export const useMessagesStore = defineStore('messages', () => {
  const { api } = useAccountStore()
  const { client, me } = useConnectionStore()
  const people = usePeopleStore()

  const logs = shallowReactive(new Map<string, Log>())
  const outgoing = shallowReactive(new Map<string, Outgoing[]>())
  const drafts = shallowReactive(new Map<string, string>())
  /** Channels in which this user can't write. */
  const readOnly = shallowReactive(new Set([ANNOUNCEMENTS]))

  function learnNames(messages: readonly Message[]): void {
    people.need(new Set(messages.map((message) => message.from)))
  }

  function append(conv: string, messages: readonly Message[]): void {
    const log = logs.get(conv)
    if (log !== undefined) logs.set(conv, { ...log, messages: merge(log.messages, messages) })
  }

  /**
   * Loads the newest messages, at least `wanted`. What was there stays where both touch; otherwise it goes, since
   * a log has no holes.
   */
  async function load(conv: string, wanted = PAGE): Promise<void> {
    const before = logs.get(conv)
    logs.set(conv, { ...(before ?? NOTHING), state: 'loading' })
    try {
      const page = await api.messages(conv, { limit: Math.min(PAGE_MAX, Math.max(PAGE, wanted)) })
      // Live ones that came while this was under way are in the log by now.
      const log = logs.get(conv) ?? NOTHING
      const oldest = page.messages[0]
      const touches =
        before !== undefined && oldest !== undefined && before.messages.some(({ id }) => id === oldest.id)
      const kept = touches
        ? log.messages
        : log.messages.filter(({ id }) => oldest === undefined || comparePositions(id, oldest.id) > 0)
      logs.set(conv, {
        messages: merge(kept, page.messages),
        more: touches ? log.more : page.more,
        state: 'done',
        older: 'idle',
      })
      learnNames(page.messages)
    } catch (error) {
      logs.set(conv, { ...(logs.get(conv) ?? NOTHING), state: 'error', error })
    }
  }

  /** Loads what lies before the oldest message of the log. */
  async function loadOlder(conv: string): Promise<void> {
    const log = logs.get(conv)
    const oldest = log?.messages[0]
    if (log === undefined || oldest === undefined || !log.more || log.older === 'loading') return
    logs.set(conv, { ...log, older: 'loading' })
    try {
      const page = await api.messages(conv, { before: oldest.id, limit: PAGE })
      const now = logs.get(conv) ?? log
      logs.set(conv, { ...now, messages: merge(now.messages, page.messages), more: page.more, older: 'idle' })
      learnNames(page.messages)
    } catch {
      logs.set(conv, { ...(logs.get(conv) ?? log), older: 'error' })
    }
  }

  function setOutgoing(conv: string, list: Outgoing[]): void {
    if (list.length === 0) outgoing.delete(conv)
    else outgoing.set(conv, list)
  }

  const without = (conv: string, ref: string) => (outgoing.get(conv) ?? []).filter((item) => item.ref !== ref)

  function dispatch(item: Outgoing, conv: string): void {
    setOutgoing(conv, [...without(conv, item.ref), item])
    client.send({ to: item.to, body: item.body, ref: item.ref }).then(
      ({ id }) => {
        append(conv, [{ conv, id, from: me, ref: item.ref, body: item.body }])
        setOutgoing(conv, without(conv, item.ref))
      },
      (error: unknown) => {
        if (error instanceof StarlingError && error.code === 'forbidden' && conv.startsWith('channel:'))
          readOnly.add(conv)
        const failed: Outgoing = { ...item, status: 'failed', reason: failureText(error) }
        setOutgoing(
          conv,
          (outgoing.get(conv) ?? []).map((other) => (other.ref === item.ref ? failed : other)),
        )
      },
    )
  }

  /** Hands a text to the outbox; it shows at once. */
  function sendText(to: string, text: string): void {
    const item: Outgoing = {
      ref: refOf(),
      to,
      body: { type: 'text', text },
      at: Date.now(),
      status: 'sending',
    }
    dispatch(item, convOf(me, to as Target))
  }

  /** Tries a failed message again, under its old ref: should it have arrived after all, it stays one. */
  function retry(conv: string, ref: string): void {
    const item = outgoing.get(conv)?.find((other) => other.ref === ref)
    if (item?.status !== 'failed') return
    const { reason: _, ...again } = item
    dispatch({ ...again, status: 'sending' }, conv)
  }

  function discard(conv: string, ref: string): void {
    setOutgoing(conv, without(conv, ref))
  }

  client.on('message', ({ op: _op, inbox: _inbox, ...message }) => {
    const { conv, from, ref } = message
    if (from === me && ref !== undefined) setOutgoing(conv, without(conv, ref))
    append(conv, [message])
    const log = logs.get(conv)
    if (log !== undefined && recalledBy(message) !== undefined) {
      logs.set(conv, { ...log, messages: withoutRecalled(log.messages, message) })
    }
    learnNames([message])
  })

  client.on('moved', ({ conv, was, id }) => {
    const log = logs.get(conv)
    const message = log?.messages.find((other) => other.id === was)
    if (log === undefined || message === undefined) return
    const others = log.messages.filter((other) => other !== message)
    logs.set(conv, { ...log, messages: merge(others, [{ ...message, id }]) })
  })

  // Left over from before a reload: the SDK sends it by itself, the page only shows it.
  client.on('outbox', ({ ref, status }) => {
    if (status !== 'queued' && status !== 'sent') return
    const item = client.outbox.find((other) => other.ref === ref)
    if (item === undefined || item.body.type === 'event') return
    const conv = convOf(me, item.to as Target)
    if (outgoing.get(conv)?.some((other) => other.ref === ref)) return
    setOutgoing(conv, [
      ...(outgoing.get(conv) ?? []),
      { ref, to: item.to, body: item.body, at: Date.now(), status: 'sending' },
    ])
  })

  client.on('reload', ({ convs }) => {
    for (const conv of convs === 'all' ? [...logs.keys()] : convs) if (logs.has(conv)) void load(conv)
  })

  return { logs, outgoing, drafts, readOnly, load, loadOlder, sendText, retry, discard }
})
