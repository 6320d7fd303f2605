/**
 * Generator of unrest: users who come and go, watch each other, and join and leave groups, at fixed rates. Starling's
 * alone, since it uses its HTTP interface and its ops.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { starling } from '../peers/starling/dialect.ts'
import type { Login } from './login.ts'
import { serve } from './serve.ts'
import { openSession } from './session.ts'
import type { LoadSocket } from './socket.ts'

export interface Unrest {
  users: Login[]
  /** Ids of open groups, which anybody may join. */
  groups: string[]
  /** A second: sessions opened or dropped, and groups joined or left. */
  comingsAndGoings: number
  joinsAndLeaves: number
}

export interface Upheaval {
  opened: number
  dropped: number
  joined: number
  left: number
  faults: string[]
}

export type ChurnCommands = {
  start: { argument: Unrest; result: undefined }
  /** Ends all of it: every session dropped. @returns what was done in all */
  stop: { argument: undefined; result: Upheaval }
}

interface User {
  login: Login
  socket: LoadSocket | undefined
  /** Groups this user is in. */
  groups: Set<string>
  isBusy: boolean
}

/** Others whom one who comes watches. */
const WATCHED = 20
const FAULTS_KEPT = 5

const done: Upheaval = { opened: 0, dropped: 0, joined: 0, left: 0, faults: [] }
const running: Promise<void>[] = []
let users: User[] = []
let isStopping = false

const onFault = (fault: string): void => {
  if (done.faults.length < FAULTS_KEPT) done.faults.push(fault)
}
const anyOf = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)]!

function start(unrest: Unrest): void {
  users = unrest.users.map((login) => ({ login, socket: undefined, groups: new Set(), isBusy: false }))
  running.push(
    atRate(unrest.comingsAndGoings, comeOrGo),
    atRate(unrest.joinsAndLeaves, (user) => joinOrLeave(user, anyOf(unrest.groups))),
  )
}

/** Does something with any user so often a second; one who is busy is left alone. */
async function atRate(perSecond: number, work: (user: User) => Promise<void>): Promise<void> {
  const under = new Set<Promise<void>>()
  while (!isStopping) {
    const user = anyOf(users)
    if (!user.isBusy) {
      user.isBusy = true
      const piece = work(user)
        .catch((fault: unknown) => onFault(fault instanceof Error ? fault.message : String(fault)))
        .finally(() => {
          user.isBusy = false
          under.delete(piece)
        })
      under.add(piece)
    }
    await sleep(1e3 / perSecond)
  }
  await Promise.all(under)
}

async function comeOrGo(user: User): Promise<void> {
  if (user.socket) {
    user.socket.close()
    user.socket = undefined
    done.dropped++
    return
  }
  user.socket = await openSession({ dialect: starling, login: user.login, catchesUp: true, onFault })
  const watched = Array.from({ length: WATCHED }, () => anyOf(users).login.user)
  user.socket.send(JSON.stringify({ op: 'watch', ref: 'watch', users: [...new Set(watched)] }))
  done.opened++
}

async function joinOrLeave({ login, groups }: User, group: string): Promise<void> {
  const base = `http://127.0.0.1:${login.port}/api/v1/groups/${group}/members`
  const isIn = groups.has(group)
  const answer = await fetch(isIn ? `${base}/${login.user}` : base, {
    method: isIn ? 'DELETE' : 'POST',
    headers: { authorization: `Bearer ${login.token}`, 'content-type': 'application/json' },
    ...(!isIn && { body: JSON.stringify({ users: [login.user] }) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${isIn ? 'leaving' : 'joining'} a group: ${answer.status} ${text}`)
  if (isIn) groups.delete(group)
  else groups.add(group)
  done[isIn ? 'left' : 'joined']++
}

async function stop(): Promise<Upheaval> {
  isStopping = true
  await Promise.all(running)
  for (const { socket } of users) socket?.close()
  return done
}

serve({ start, stop })
