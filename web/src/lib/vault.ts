/**
 * The accounts this browser can sign in as, and which of them this tab is. Every account has a place of its own
 * in localStorage, so that tabs of one user share its tokens; the tab's choice is in sessionStorage, so that two
 * tabs can be two users.
 */
import type { User } from '@starling/protocol/frames'

export interface Account {
  user: User
  token: string
  refreshToken: string
  /** Has no password: gone for good when forgotten. */
  guest: boolean
}

const PLACE = 'starling.account.'
const LAST = 'starling.last'
const TAB = 'starling.tab'

export function keep(account: Account): void {
  localStorage.setItem(PLACE + account.user.id, JSON.stringify(account))
}

export function recall(id: string): Account | undefined {
  const text = localStorage.getItem(PLACE + id)
  return text === null ? undefined : (JSON.parse(text) as Account)
}

export function forget(id: string): void {
  localStorage.removeItem(PLACE + id)
  if (localStorage.getItem(LAST) === id) localStorage.removeItem(LAST)
}

/** @returns every account kept, in the order of names */
export function all(): Account[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(PLACE))
    .flatMap((key) => recall(key.slice(PLACE.length)) ?? [])
    .sort((a, b) => a.user.name.localeCompare(b.user.name))
}

/** Makes `id` the account of this tab and of tabs opened later. */
export function choose(id: string): void {
  sessionStorage.setItem(TAB, id)
  localStorage.setItem(LAST, id)
}

/** Makes this tab nobody's, though accounts stay. */
export function chooseNone(): void {
  sessionStorage.setItem(TAB, '')
}

/** @returns the account of this tab: its own choice, or for a new tab the last one used */
export function chosen(): Account | undefined {
  const id = sessionStorage.getItem(TAB) ?? localStorage.getItem(LAST)
  return id ? recall(id) : undefined
}
