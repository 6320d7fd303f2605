/**
 * Lua scripts as typed calls: a definition names its keys and arguments, a call names what it passes, the
 * reply is decoded into a union. `-- @include <name>` in a script takes in `scripts/lib/<name>.lua`.
 */
import { readFileSync } from 'node:fs'
import { ProtocolError } from '@starling/protocol/errors'
import { Cluster, ReplyError } from 'ioredis'
import type { RedisClient } from './redis.ts'

export interface ScriptDefinition<Key extends string, Arg extends string, Result> {
  /** `<owner>/<verb>`, as the file is named. */
  readonly name: string
  readonly keys: readonly Key[]
  readonly args: readonly Arg[]
  /** The whole text, includes resolved. */
  readonly lua: string
  readonly decode: (reply: unknown) => Result
}

const includeLine = /^-- @include ([a-z-]+)$/gm

/** @returns a script's text with its includes in place; the blank lines keep error positions readable */
function loadLua(name: string): string {
  const read = (path: string) => readFileSync(new URL(`./scripts/${path}.lua`, import.meta.url), 'utf8')
  return read(name).replace(includeLine, (_line, part: string) => read(`lib/${part}`).trimEnd())
}

/**
 * Defines a script. Its header, its bindings and this list must agree; a test holds them together.
 * Arguments beyond the named ones are passed as `rest`, for scripts that take a list.
 */
export function defineScript<const Key extends string, const Arg extends string, Result>(definition: {
  name: string
  keys: readonly Key[]
  args: readonly Arg[]
  decode: (reply: unknown) => Result
}): ScriptDefinition<Key, Arg, Result> {
  const script = { ...definition, lua: loadLua(definition.name) }
  definitions.push(script)
  return script
}

/** A script that takes any number of jobs of one kind in a call, and answers each by itself. */
export interface BatchDefinition<Arg extends string, Field extends string, Result> {
  /** `<owner>/<verb>`, as the file is named. */
  readonly name: string
  /** What all jobs of a call have in common. */
  readonly args: readonly Arg[]
  /** What each job has of its own. */
  readonly job: readonly Field[]
  readonly lua: string
  readonly decode: (reply: unknown) => Result
}

/** Defines a batch script; its only key says where in a cluster it runs. Held to its header like the others. */
export function defineBatch<const Arg extends string, const Field extends string, Result>(definition: {
  name: string
  args: readonly Arg[]
  job: readonly Field[]
  decode: (reply: unknown) => Result
}): BatchDefinition<Arg, Field, Result> {
  return { ...definition, lua: loadLua(definition.name) }
}

/** Every script there is: a client learns them all at once, since a pipeline knows only those from before it. */
const definitions: { name: string; lua: string; keys: readonly string[] }[] = []

/** @returns a script's reply, which is always a list of strings */
export const strings = (reply: unknown): string[] => reply as string[]

/** @returns a flat list as pairs */
export function pairs(flat: string[]): [string, string][] {
  const list: [string, string][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) list.push([flat[at]!, flat[at + 1]!])
  return list
}

type Call = (...args: (string | number)[]) => Promise<unknown>

/** Teaches a client every script there is. @returns them as commands, by name */
function teachScripts(client: RedisClient): Record<string, Call> {
  for (const { name, lua, keys } of definitions)
    client.defineCommand(name, { lua, numberOfKeys: keys.length })
  // The client's type doesn't know them; a name with a slash can't meet one of its own.
  return client as unknown as Record<string, Call>
}

/** Runs scripts on one client. */
export class Scripts {
  readonly #client: RedisClient
  readonly #commands: Record<string, Call>
  readonly #onDone: (script: string, ms: number) => void

  /** @param onDone is told how long each round trip took, however it ended */
  constructor(client: RedisClient, onDone: (script: string, ms: number) => void = () => {}) {
    this.#client = client
    this.#onDone = onDone
    this.#commands = teachScripts(client)
  }

  /**
   * Runs a script in one round trip.
   * @throws ProtocolError `unavailable` where Redis can't be reached or can't write now: not known to be stored
   */
  async run<Key extends string, Arg extends string, Result>(
    script: ScriptDefinition<Key, Arg, Result>,
    keys: Record<Key, string>,
    args: Record<Arg, string | number>,
    rest: readonly (string | number)[] = [],
  ): Promise<Result> {
    const positional: (string | number)[] = []
    for (const key of script.keys) positional.push(keys[key])
    for (const arg of script.args) positional.push(args[arg])
    for (const more of rest) positional.push(more)
    const since = performance.now()
    try {
      return script.decode(await this.#commands[script.name]!(...positional))
    } catch (fault) {
      followMove(this.#client, fault)
      throw redisFault(fault)
    } finally {
      this.#onDone(script.name, performance.now() - since)
    }
  }
}

/**
 * Has a cluster's layout looked at where a reply says that it has changed: in a pipeline with others the client follows
 * no such hint, and without a look it would come again for seconds.
 */
export function followMove(redis: RedisClient, fault: unknown): void {
  const hasMoved = fault instanceof ReplyError && (fault as Error).message.startsWith('MOVED ')
  if (hasMoved && redis instanceof Cluster) redis.refreshSlotsCache()
}

/** Replies by which a Redis that is there says that it can't serve now. */
const PASSING =
  /^(LOADING|CLUSTERDOWN|READONLY|MASTERDOWN|NOREPLICAS|TRYAGAIN|MOVED|ASK|OOM|MISCONF|BUSY|UNKILLABLE|ERR max number of clients)/

/**
 * Sorts what a Redis client can throw.
 * @returns `unavailable` where trying again can help, else the fault itself: our bug
 */
export function redisFault(fault: unknown): unknown {
  if (fault instanceof ProtocolError || fault instanceof SyntaxError || fault instanceof RangeError)
    return fault
  if (fault instanceof ReplyError && !PASSING.test((fault as Error).message)) return fault
  // A cluster client without a master for a slot stumbles over its own tables instead of saying so.
  if (fault instanceof TypeError && !fault.stack?.includes('ioredis')) return fault
  return new ProtocolError('unavailable', 'the store cannot be reached', { retryIn: 1000, cause: fault })
}
