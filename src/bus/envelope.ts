/**
 * What travels in a node's channel: one or more entries, each a header line and a frame.
 *
 *     <kind> <topic> <mark> <bytes>\n<frame>
 *
 *   m  message    topic: user or conversation     mark: position in it          to all who follow the topic
 *   f  frame      topic: user or conversation     mark: -                       to all who follow the topic
 *   t  typing     topic: user or conversation     mark: -                       as f, but not to sockets that are behind
 *   o  others     topic: user                     mark: session                 to all but that session
 *   s  sessions   topic: user                     mark: <sessions>/<devices>    the `session` frame
 *   c  control    topic: user or conversation     mark: position or -           an order to the gateway, JSON
 *   p  presence   topic: -                        mark: -                       a batch of changes, JSON
 *   k  canary     topic: -                        mark: <bucket>/<round>        the gateway's own, back to itself
 *
 * A gateway reads the header and passes the frame's bytes on as they are; only orders and presence are parsed.
 */
export type Kind = 'm' | 'f' | 't' | 'o' | 's' | 'c' | 'p' | 'k'

export interface Entry {
  kind: Kind
  topic: string
  mark: string
  frame: Buffer
}

const NEWLINE = 0x0a
const LENGTH = /^\d+$/

/** @returns the entries of one publish; whatever isn't one ends the list */
export function readEntries(payload: Buffer): Entry[] {
  const entries: Entry[] = []
  let at = 0
  while (at < payload.length) {
    const end = payload.indexOf(NEWLINE, at)
    if (end < 0) break
    const [kind, topic = '', mark = '', bytes] = payload.toString('latin1', at, end).split(' ')
    if (bytes === undefined || topic === '' || !LENGTH.test(bytes)) break
    const next = end + 1 + Number(bytes)
    if (next > payload.length) break
    entries.push({ kind: kind as Kind, topic, mark, frame: payload.subarray(end + 1, next) })
    at = next
  }
  return entries
}

/** @returns an entry of the canary, which has no frame */
export const canaryEntry = (bucket: number, round: number): string => `k - ${bucket}/${round} 0\n`

/** @returns an entry of presence; its JSON is ASCII, as user ids are */
export const presenceEntry = (json: string): string => `p - - ${json.length}\n${json}`

/** @returns the two numbers of a mark `<a>/<b>` */
export function markNumbers(mark: string): [number, number] {
  const slash = mark.indexOf('/')
  return [Number(mark.slice(0, slash)), Number(mark.slice(slash + 1))]
}
