/**
 * A system under test, fresh for each run, so that none pays for what an earlier one has left behind: its servers, its
 * Redis, and the few things the bench has to ask of any of them.
 */
import type { Watched } from '../lib/cpu.ts'
import type { Store } from '../lib/redis.ts'
import { ROOT, type ServerProcess } from '../lib/server-process.ts'
import type { Login } from '../load/login.ts'

export interface System {
  readonly nodes: readonly ServerProcess[]
  /** None where the system stores and shares nothing. */
  readonly store: Store | undefined
  /** Signs users in. @returns what a load generator needs to be this user on this node */
  login(user: string, node: number, groups?: readonly string[]): Promise<Login>
  /** Makes a group, which others can join where it is open. @returns its target */
  makeGroup(users: readonly string[], options?: { isOpen: boolean }): Promise<string>
  close(): Promise<void>
}

export interface Shape {
  /** Server processes; two where not given. */
  nodes?: number
  /** Redis masters; one, and no cluster, where not given. */
  masters?: number
  /** Redis goes before what else runs, as docs/deployment.md has it for a machine that it shares; where not given, it is one among others. */
  redisFirst?: boolean
  /** Puts something between the servers and their Redis. @returns where the servers are to go instead */
  through?: (redisUrl: string) => Promise<string>
  /** Options of Node for the servers, for profiles. */
  nodeOptions?: readonly string[]
  /** The tree whose servers run, where it is not this one. */
  root?: string
}

/** @returns the processes whose CPU time is the system's */
export const processesOf = ({ nodes, store }: System): Watched[] => [
  ...nodes.map(({ name, pid }): Watched => ({ name, pid, role: 'gateway' })),
  ...(store?.pids ?? []).map((pid, index): Watched => ({ name: `redis-${index + 1}`, pid, role: 'store' })),
]

/** @returns what went wrong in the servers, in their own words */
export const complaintsOf = ({ nodes }: System): string[] =>
  nodes
    .filter(({ hasExited, tail }) => hasExited || tail !== '')
    .map(
      ({ name, hasExited, tail }) =>
        `${name} ${hasExited ? 'died' : 'says'}: ${tail.trim().replaceAll(ROOT, '')}`,
    )

/** Starts a system, works with it and ends it. A failure brings along what the servers had to say. */
export async function withSystem<Result>(
  start: () => Promise<System>,
  work: (system: System) => Promise<Result>,
): Promise<Result> {
  const system = await start()
  try {
    return await work(system)
  } catch (fault) {
    const message = fault instanceof Error ? fault.message : String(fault)
    throw new Error([message, ...complaintsOf(system)].join('\n'), { cause: fault })
  } finally {
    await system.close()
  }
}
