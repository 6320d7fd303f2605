/**
 * The terminal client's account: signs in, makes one where there is none, stays signed in. What it has to
 * remember lies in `.data/`, readable by the user alone.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import {
  createApi,
  type PositionStorage,
  type Saved,
  type SignedIn,
  StarlingError,
  type TokenReason,
} from '../client/src/index.ts'

const DATA = new URL('../.data/', import.meta.url)
const fileOf = (user: string, what = '') => new URL(`chat-${user}${what}.json`, DATA)

/** What is remembered of a user; the password only where it was made here. */
export interface Remembered {
  device: string
  password?: string
}

function readJson<T>(file: URL): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return undefined
  }
}

/** Whole or not at all: a password that was half written would lock its user out. */
function writeJson(file: URL, value: unknown): void {
  mkdirSync(DATA, { recursive: true })
  const draft = new URL(`${file.href}.${process.pid}`)
  writeFileSync(draft, JSON.stringify(value), { mode: 0o600 })
  renameSync(draft, file)
}

export function recall(user: string): Remembered {
  const known = readJson<Remembered>(fileOf(user))
  if (known !== undefined) return known
  const fresh = { device: randomUUID() }
  writeJson(fileOf(user), fresh)
  return fresh
}

/** Positions and outbox of a terminal, so that the next run shows what came meanwhile. */
export function positionsOf(user: string): PositionStorage {
  const file = fileOf(user, '-positions')
  return { load: () => readJson<Saved>(file), save: (saved) => writeJson(file, saved) }
}

export interface Account {
  getToken: (why: TokenReason) => Promise<string>
}

/** Signs in as a user of this name, with the password given, the one remembered, or one that is made up now. */
export async function signIn(endpoint: string, user: string, given: string | undefined): Promise<Account> {
  const api = createApi({ endpoint })
  const remembered = recall(user)
  const password = given ?? remembered.password ?? randomBytes(18).toString('base64url')
  let session = await enter()
  return {
    async getToken(why) {
      // Spent or ended, a refresh token is no reason to give up while there is a password.
      if (why !== 'first') session = await api.refresh(session.refreshToken).catch(enter)
      return session.token
    },
  }

  async function enter(): Promise<SignedIn> {
    const isNew = given === undefined && remembered.password === undefined
    if (!isNew) {
      try {
        return await api.login({ id: user, password })
      } catch (error) {
        if (!(error instanceof StarlingError) || error.code !== 'unauthorized') throw error
      }
    }
    try {
      const registered = await api.register({ id: user, password })
      if (given === undefined) {
        remembered.password = password
        writeJson(fileOf(user), remembered)
      }
      return registered
    } catch (error) {
      if (!(error instanceof StarlingError)) throw error
      if (error.code === 'conflict') {
        const text = isNew
          ? 'exists already: give its --password'
          : 'has another password: give it with --password'
        throw new StarlingError('unauthorized', `${user} ${text}`, { cause: error })
      }
      if (error.code === 'not_found') {
        throw new StarlingError(
          'unauthorized',
          'this cluster takes tokens from elsewhere: give one with --token',
        )
      }
      throw error
    }
  }
}
