/**
 * What watching clients were told against who was connected: no ghost beyond the promised time, nobody off who was on,
 * and the truth at the end.
 */
import type { History, RecordOf, Trouble, Violation } from '../history.ts'

/** [P5]: offline everywhere so long after the last connection is gone, after the death of its node, ms. */
const OFFLINE_WITHIN_MS = 5_000
const DEAD_WITHIN_MS = 20_000
/** Who is back within this was never off, ms. */
const GRACE_MS = 2_000
/**
 * A client sees its line end a little later than the gateway, a welcome comes after the joining, and what was decided
 * during a trouble is told after it: changes are gathered before they are told, and merged before they are passed on.
 */
const SLACK_MS = 500
/** A node's death and its clients' ends belong together within this, ms. */
const DEATH_MS = 5_000

/** A time without a connection of a user. */
interface Absence {
  from: number
  until: number
  /** When nobody may take the user for online any more. */
  goneBy: number
}

export function judgePresence(history: History): Violation[] {
  const absences = absencesOf(history)
  const violations: Violation[] = []
  for (const user of history.watched) {
    const last = absences.get(user)?.at(-1)
    const isOff = last !== undefined && last.until === Number.POSITIVE_INFINITY
    if (isOff === history.online.has(user)) {
      violations.push(about(user, 'presence', `the cluster says ${isOff ? 'online' : 'offline'} at the end`))
    }
  }
  for (const [client, tellings] of tellingsOf(history)) {
    for (const user of history.watched) {
      violations.push(...judgeUser(history, client, user, tellings.get(user) ?? [], absences.get(user) ?? []))
    }
  }
  return violations
}

const about = (user: string, kind: Violation['kind'], words: string, client?: string): Violation => ({
  kind,
  user,
  ids: [],
  refs: [],
  words,
  ...(client !== undefined && { client }),
})

/** For a time this watcher took a user for on or off; `known` is false while the watcher itself was away. */
interface Telling {
  at: number
  on: boolean | undefined
}

function judgeUser(
  history: History,
  client: string,
  user: string,
  tellings: readonly Telling[],
  absences: readonly Absence[],
): Violation[] {
  const violations: Violation[] = []
  for (const [index, { at, on }] of tellings.entries()) {
    const next = tellings[index + 1]?.at ?? history.endedAt
    if (on === true) {
      const ghost = absences.find(({ goneBy, until }) => Math.max(goneBy, at) < Math.min(until, next))
      if (ghost) {
        const seconds = ((Math.min(ghost.until, next) - ghost.from) / 1e3).toFixed(1)
        violations.push(
          about(user, 'ghost', `taken for online for ${seconds} s after the last connection`, client),
        )
      }
    } else if (on === false && !inTrouble(history.troubles, at)) {
      const isAbsent = absences.some(
        ({ from, until }) =>
          until - from > GRACE_MS - SLACK_MS && from <= at && at <= until + OFFLINE_WITHIN_MS,
      )
      if (!isAbsent) violations.push(about(user, 'flap', 'told offline, and was connected', client))
    }
  }
  const last = tellings.at(-1)
  const isOff = absences.at(-1)?.until === Number.POSITIVE_INFINITY
  if (last?.on !== undefined && last.on === isOff) {
    violations.push(about(user, 'presence', `taken for ${isOff ? 'online' : 'offline'} at the end`, client))
  }
  return violations
}

const inTrouble = (troubles: readonly Trouble[], at: number) =>
  troubles.some(({ from, until }) => from <= at && at <= until + SLACK_MS)

function absencesOf({ records, clients, troubles, watched }: History): Map<string, Absence[]> {
  const users = new Map(clients.map(({ id, user }) => [id, user]))
  const deaths = records.filter((record) => record.is === 'death') as RecordOf<'death'>[]
  const lines = new Map<string, number>()
  /** When a node died last that held a line of a user: it counts for online until its lease is over. */
  const diedAt = new Map<string, number>()
  const absences = new Map<string, Absence[]>(watched.map((user) => [user, []]))
  for (const record of records) {
    if (record.is !== 'up' && record.is !== 'down') continue
    const user = users.get(record.client) ?? record.client
    const before = lines.get(user) ?? 0
    lines.set(user, before + (record.is === 'up' ? 1 : -1))
    const list = absences.get(user)
    if (
      record.is === 'down' &&
      deaths.some(({ node, at }) => node === record.node && Math.abs(at - record.at) < DEATH_MS)
    )
      diedAt.set(user, record.at)
    if (record.is === 'up' && before === 0) {
      const last = list?.at(-1)
      if (last) last.until = record.at
    } else if (record.is === 'down' && before === 1) {
      const died = diedAt.get(user)
      const goneBy = Math.max(
        quietFor(troubles, record.at, OFFLINE_WITHIN_MS),
        died === undefined ? 0 : quietFor(troubles, died, DEAD_WITHIN_MS),
      )
      list?.push({
        from: record.at,
        until: Number.POSITIVE_INFINITY,
        goneBy: goneBy + SLACK_MS,
      })
    }
  }
  return absences
}

/** @returns when a promised time is over that begins anew after each trouble */
function quietFor(troubles: readonly Trouble[], from: number, ms: number): number {
  let start = from
  for (const trouble of [...troubles].sort((a, b) => a.from - b.from)) {
    if (trouble.from < start + ms && trouble.until > start) start = trouble.until
  }
  return start + ms
}

/** watcher → user → what it was told, in order; its own absence makes everything unknown. */
function tellingsOf({ records }: History): Map<string, Map<string, Telling[]>> {
  const watchers = new Map<string, Map<string, Telling[]>>()
  for (const record of records) if (record.is === 'presence') watchers.set(record.client, new Map())
  for (const record of records) {
    if (record.is !== 'presence' && record.is !== 'down') continue
    const tellings = watchers.get(record.client)
    if (!tellings) continue
    if (record.is === 'down') {
      for (const list of tellings.values()) list.push({ at: record.at, on: undefined })
      continue
    }
    for (const on of [true, false]) {
      for (const user of on ? record.on : record.off) {
        const list = tellings.get(user)
        if (list) list.push({ at: record.at, on })
        else tellings.set(user, [{ at: record.at, on }])
      }
    }
  }
  return watchers
}
