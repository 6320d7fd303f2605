/**
 * CPU time as the kernel's scheduler counts it (Linux): how long each process ran, how long its main thread ran or
 * waited for a core, and what the rest of the machine did meanwhile. The run time per message is the figure that
 * does not depend on how the cores were shared.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { type Times, until } from '../load/clock.ts'

export type Role = 'gateway' | 'store' | 'generator' | 'bench'

export interface Watched {
  name: string
  pid: number
  role: Role
}

/** What a process used between two readings. */
export interface ProcessUse extends Watched {
  /** CPU time of all threads and of ended children, s. */
  cpuSeconds: number
  /** Share of the time in which the main thread ran or was ready to run: at 1 it is the process's limit. */
  busy: number
}

export interface CpuUse {
  seconds: number
  processes: ProcessUse[]
  machine: {
    cores: number
    /** Cores that were busy, by anybody. */
    busyCores: number
    /** Cores taken by processes that the bench does not know. */
    otherCores: number
    /** Cores that the host took from this virtual machine. */
    stolenCores: number
  }
}

interface Reading {
  atNs: bigint
  processes: { runNs: number; mainReadyNs: number }[]
  machine: { busyTicks: number; stolenTicks: number }
}

/** Linux reports CPU time to user space in units of 10 ms. */
const TICK_SECONDS = 0.01
const NS_PER_SECOND = 1e9

export class CpuMeter {
  readonly #watched: readonly Watched[]
  readonly #from: Reading

  /** Starts to measure. */
  constructor(processes: readonly Watched[]) {
    this.#watched = [...processes, { name: 'bench', pid: process.pid, role: 'bench' }]
    this.#from = this.#read()
  }

  /** @returns what was used since the start */
  stop(): CpuUse {
    const [from, to] = [this.#from, this.#read()]
    const seconds = Number(to.atNs - from.atNs) / NS_PER_SECOND
    const processes = this.#watched.map((watched, index): ProcessUse => {
      const [before, after] = [from.processes[index]!, to.processes[index]!]
      return {
        ...watched,
        cpuSeconds: (after.runNs - before.runNs) / NS_PER_SECOND,
        busy: (after.mainReadyNs - before.mainReadyNs) / NS_PER_SECOND / seconds,
      }
    })
    const coresOf = (ticks: number) => (ticks * TICK_SECONDS) / seconds
    const busyCores = coresOf(to.machine.busyTicks - from.machine.busyTicks)
    const ownCores = processes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) / seconds
    return {
      seconds,
      processes,
      machine: {
        cores: cpus().length,
        busyCores,
        otherCores: Math.max(0, busyCores - ownCores),
        stolenCores: coresOf(to.machine.stolenTicks - from.machine.stolenTicks),
      },
    }
  }

  #read(): Reading {
    return {
      atNs: process.hrtime.bigint(),
      processes: this.#watched.map(({ pid }) => readProcess(pid)),
      machine: readMachine(),
    }
  }
}

/** @returns what was used in the measured part of a load */
export async function cpuDuring({ measureUs, endUs }: Times, processes: readonly Watched[]): Promise<CpuUse> {
  await until(measureUs)
  const meter = new CpuMeter(processes)
  await until(endUs)
  return meter.stop()
}

/** @returns the CPU seconds of all processes of these roles */
export function cpuSecondsOf({ processes }: CpuUse, ...roles: Role[]): number {
  return processes.reduce((sum, { role, cpuSeconds }) => sum + (roles.includes(role) ? cpuSeconds : 0), 0)
}

function readProcess(pid: number): { runNs: number; mainReadyNs: number } {
  const [mainRunNs, mainWaitNs] = readSchedule(`/proc/${pid}/schedstat`)
  // The command's name, in parentheses, may hold spaces; what comes after it does not.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const endedChildrenTicks = Number(fields[13]) + Number(fields[14])
  let runNs = endedChildrenTicks * TICK_SECONDS * NS_PER_SECOND
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    runNs += readSchedule(`/proc/${pid}/task/${thread}/schedstat`)[0]
  }
  return { runNs, mainReadyNs: mainRunNs + mainWaitNs }
}

/** @returns ns on a core, ns of waiting for one; 0 for a thread that has just ended */
function readSchedule(path: string): [number, number] {
  try {
    const [runNs = 0, waitNs = 0] = readFileSync(path, 'utf8').split(' ').map(Number)
    return [runNs, waitNs]
  } catch {
    return [0, 0]
  }
}

function readMachine(): { busyTicks: number; stolenTicks: number } {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return { busyTicks: user + nice + system + irq + softirq, stolenTicks: stolen }
}
