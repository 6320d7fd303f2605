/** The sections in which Starling stands against itself: what one piece of work costs as the whole grows. */
import { peer } from '../peers/peers.ts'
import type { Shape } from '../peers/system.ts'
import { dm } from '../scenarios/dm.ts'
import { group } from '../scenarios/group.ts'
import { roomy } from '../scenarios/roomy.ts'
import { GENERATORS, IN_FLIGHT, type Lengths, PAIRS, type Section, thousands } from './section.ts'

const CONVERSATIONS = [100, 100_000]
/**
 * Whose conversations they are: the same connections, however many conversations they have. Each sender has one message
 * under way: with more of them to the same receiver, a few conversations would share reads and writes, in Redis and of
 * sockets, that have nothing to do with how many there are.
 */
const CROWD = { senders: 100, receivers: 2_000 }
/** So that every conversation is in use before it counts: a first message costs more than the next ones. */
const BEFORE = 250_000
const REWRITE =
  'The AOF was rewritten after them, and not while it was measured: the more there is to rewrite, the rarer it is due.'
const GATEWAYS = [2, 8]
const MASTERS = [1, 3]
/** So that each gateway has been compiled and is warm: by messages, since the more there are the fewer each has in a second. */
const BEFORE_EACH = 60_000
const WARM = `${thousands(BEFORE_EACH)} messages for each gateway went before. ${REWRITE} Beside it the same load spread over more: each call then carries fewer messages.`
const MEMBERS = [10, 100_000]
const ROOMY = { groups: 150, dms: 150, tries: 20 }

export const growth = (lengths: Lengths): Section[] => {
  const starling = peer('starling')
  const load = { ...lengths, generators: GENERATORS, rates: [] }
  /** The load grows with the cluster; the last one has the load of the first, spread over more. */
  const shaped = (
    unit: string,
    sizes: readonly number[],
    shape: (size: number) => Shape & { nodes: number },
  ) => {
    const least = sizes[0]!
    const subject = (size: number, inFlight: number, words: string) => ({
      name: `${size} ${unit}${words}`,
      run: () => {
        const before = BEFORE_EACH * shape(size).nodes
        return dm(starling, { ...load, crowd: { senders: PAIRS }, inFlight, before }, shape(size))
      },
    })
    return [
      ...sizes.map((size) => subject(size, (IN_FLIGHT * size) / least, '')),
      subject(sizes.at(-1)!, IN_FLIGHT, `, the load of ${least}`),
    ]
  }
  return [
    {
      name: 'conversations',
      title: 'More conversations',
      setting: `One-to-one messages of ${CROWD.senders} senders to ${thousands(CROWD.receivers)} receivers, all connected, one under way for each sender, who takes its conversations in turn; ${thousands(BEFORE)} messages went before. ${REWRITE}`,
      parts: [{ part: 'dm', title: 'A message' }],
      subjects: CONVERSATIONS.map((conversations) => ({
        name: `${thousands(conversations)} conversations`,
        run: () =>
          dm(starling, {
            ...load,
            inFlight: CROWD.senders,
            before: BEFORE,
            crowd: { ...CROWD, conversations },
          }),
      })),
    },
    {
      name: 'gateways',
      title: 'More gateways',
      setting: `The ${PAIRS} pairs of above over more gateways, ${IN_FLIGHT / 2} messages under way for each; ${WARM}`,
      parts: [{ part: 'dm', title: 'A message' }],
      subjects: shaped('gateways', GATEWAYS, (nodes) => ({ nodes })),
    },
    {
      name: 'masters',
      title: 'More Redis masters',
      setting: `The ${PAIRS} pairs of above: on one Redis, then on a cluster, ${IN_FLIGHT} messages under way for each Redis; ${WARM}`,
      parts: [{ part: 'dm', title: 'A message' }],
      subjects: shaped('Redis', MASTERS, (masters) => ({ masters, nodes: 2 })),
    },
    {
      name: 'members',
      title: 'Larger groups',
      setting: 'A group of which ten members are connected, and two of them write, 16 under way for each.',
      parts: [{ part: 'members', title: 'A delivery' }],
      subjects: MEMBERS.map((members) => ({
        name: `${thousands(members)} members`,
        run: () =>
          group(starling, {
            ...lengths,
            generators: GENERATORS,
            members,
            connected: 10,
            groups: 1,
            writers: 2,
            inFlight: 16,
            part: 'members',
          }),
      })),
    },
    {
      name: 'roomy',
      title: 'Connecting with many conversations',
      setting: `A user of ${ROOMY.groups} groups and ${ROOMY.dms} one-to-one conversations connects and asks for all that was missed; one gateway, seen from between it and Redis. The best of ${ROOMY.tries} tries.`,
      parts: [{ part: 'roomy', title: 'A connect' }],
      subjects: [{ name: starling.name, run: () => roomy(ROOMY) }],
    },
  ]
}
