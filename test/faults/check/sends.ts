/**
 * What was sent against what is in the logs: acked is kept, once; refused is not there; the order of each sender is kept.
 */
import { comparePositions } from '@starling/protocol/ids'
import type { RecordOf, Violation } from '../history.ts'
import { type Facts, fateOf, isAfter, type Sent, secondId, sentKey, textOf } from './facts.ts'

export function judgeSends(facts: Facts): Violation[] {
  return [...judgeFates(facts), ...judgeLogs(facts), ...judgeSenderOrder(facts)]
}

/** Each ref against its acks and the log. */
function judgeFates(facts: Facts): Violation[] {
  const violations: Violation[] = []
  for (const sent of facts.sent.values()) {
    const { conv, ref, acks, user } = sent
    const about = { conv, user, refs: [ref] }
    const ids = [...new Set(acks.map(({ id }) => id))]
    if (ids.length > 1) {
      const kind = secondId(facts.logs.get(conv), ids[0]!, sent)
      violations.push({ ...about, kind, ids, words: 'one ref was acked with several ids' })
    }
    const log = facts.logs.get(conv)
    for (const id of ids) {
      const entry = log?.byId.get(id)
      if (entry && entry.ref === ref && entry.from === user) continue
      if (entry)
        violations.push({ ...about, kind: 'altered', ids: [id], words: 'another message has its id' })
      else if (!log || !fellOut(log.entries[0]?.id, id)) {
        violations.push({ ...about, kind: 'lost-in-log', ids: [id], words: 'acked, and not in the log' })
      }
    }
  }
  return violations
}

/** Whether an id is older than what the log still has. */
const fellOut = (first: string | undefined, id: string) => first !== undefined && isAfter(first, id)

/** Each log against what was sent. */
function judgeLogs({ history, logs, sent }: Facts): Violation[] {
  const violations: Violation[] = []
  for (const [conv, { entries }] of logs) {
    const ids = new Map<string, string>()
    let before: string | undefined
    for (const entry of entries) {
      const { id, ref, from } = entry
      if (before !== undefined && comparePositions(before, id) >= 0) {
        violations.push({
          kind: 'order',
          conv,
          ids: [before, id],
          refs: [],
          words: 'the log is out of order',
        })
      }
      before = id
      if (ref === undefined || !isAfter(id, history.heads.get(conv) ?? '0-0')) continue
      const about = { conv, user: from, refs: [ref] }
      const key = sentKey(from, conv, ref)
      const known = ids.get(key)
      if (known !== undefined) {
        violations.push({ ...about, kind: 'doubled', ids: [known, id], words: 'one ref is twice in the log' })
      }
      ids.set(key, id)
      const origin = sent.get(key)
      if (!origin) violations.push({ ...about, kind: 'invented', ids: [id], words: 'nobody has sent it' })
      else if (fateOf(origin) === 'refused') {
        violations.push({ ...about, kind: 'refused', ids: [id], words: 'refused, and in the log' })
      } else if (textOf(entry) !== origin.text) {
        violations.push({ ...about, kind: 'altered', ids: [id], words: 'stored with another content' })
      }
    }
  }
  return violations
}

/**
 * Two sends of one connection to one conversation. With the SDK it is the order of writing, whatever connections that
 * took; on raw frames it is the order on one connection of those that were acked there for the first time, since who
 * doesn't hold back after a refusal has given the order up.
 */
function judgeSenderOrder(facts: Facts): Violation[] {
  const violations: Violation[] = []
  const last = new Map<string, Sent>()
  const follow = (lane: string, sent: Sent, client: string) => {
    const id = sent.acks[0]?.id
    if (id === undefined) return
    const earlier = last.get(lane)
    const earlierId = earlier?.acks[0]?.id
    if (earlier && earlierId !== undefined && !isAfter(id, earlierId)) {
      violations.push({
        kind: 'sender-order',
        conv: sent.conv,
        client,
        ids: [earlierId, id],
        refs: [earlier.ref, sent.ref],
        words: 'stored in another order than sent',
      })
      return
    }
    last.set(lane, sent)
  }
  const of = ({ client, conv, ref }: RecordOf<'submit' | 'send'>) =>
    facts.sent.get(sentKey(facts.clients.get(client)?.user ?? client, conv, ref))
  for (const record of facts.history.records) {
    if (record.is === 'submit') {
      const sent = of(record)
      if (sent) follow(`${record.client}\n${record.conv}`, sent, record.client)
    } else if (record.is === 'send' && facts.clients.get(record.client)?.kind === 'raw') {
      const sent = of(record)
      const first = sent?.tries.find(({ client, line }) => client === record.client && line === record.line)
      if (sent && first?.outcome === 'acked')
        follow(`${record.client}\n${record.line}\n${record.conv}`, sent, record.client)
    }
  }
  return violations
}
