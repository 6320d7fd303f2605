/**
 * The stage of the authorization matrix: one group with somebody of every role, what is the owner's own, and who else may
 * come along, with what to show at the door.
 */
import type { Backstage } from './backstage.ts'
import type { User, World } from './harness.ts'
import { dmOf } from './harness.ts'

/** Who asks. `other` is another user altogether, for what is the owner's own; `key` and `none` are no users. */
export const ROLES = [
  'outsider',
  'member',
  'muted',
  'removed',
  'admin',
  'owner',
  'other',
  'key',
  'none',
] as const
export type Role = (typeof ROLES)[number]
export type Somebody = Exclude<Role, 'key' | 'none'>

/** What each may expect of one thing asked. */
export type Verdicts<Verdict> = Readonly<Record<Role, Verdict>>

export interface Scene {
  people: Readonly<Record<Somebody, User>>
  /** Members as well, for those who do something to somebody. */
  victim: User
  secondAdmin: User
  /** Somebody who is in nothing. */
  newcomer: User
  group: { id: string; conv: string; target: string }
  /** Of the owner and the member. */
  dm: string
}

const HOUR_MS = 3_600_000

export async function setScene(
  world: World,
  backstage: Backstage,
  settings: { join?: 'open' | 'invite' } = {},
): Promise<Scene> {
  const named = (name: string) => world.user(name)
  const people = {
    outsider: named('outsider'),
    member: named('member'),
    muted: named('muted'),
    removed: named('removed'),
    admin: named('admin'),
    owner: named('owner'),
    other: named('other'),
  }
  const [victim, secondAdmin] = [named('victim'), named('admin-2')]
  const { owner, member, muted, removed, admin } = people
  const group = await owner.createGroup({
    members: [member, muted, removed, admin, victim, secondAdmin],
    ...settings,
  })
  await Promise.all([
    owner.http().delete(`/groups/${group.id}/members/${removed.id}`),
    backstage.setMember(group.id, admin.id, 'admin'),
    backstage.setMember(group.id, secondAdmin.id, 'admin'),
    backstage.setMember(group.id, muted.id, 'member', Date.now() + HOUR_MS),
    world.server.post('/push', {
      from: owner.id,
      to: [member.target],
      body: { type: 'text', text: 'between us' },
      ref: 'dm',
    }),
  ])
  const { id, conv, target } = group
  return {
    people,
    victim,
    secondAdmin,
    newcomer: named('newcomer'),
    group: { id, conv, target },
    dm: dmOf(owner, member),
  }
}

/** @returns what somebody of this role shows at the door */
export function credentialOf(world: World, scene: Scene, role: Role): string | undefined {
  if (role === 'none') return undefined
  return role === 'key' ? world.cluster.apiKey : scene.people[role].token()
}
