/** From which ports a process talks: what comes in over a wire can be told apart by its gateway. Linux only. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Columns of /proc/net/tcp. */
const LOCAL = 1
const INODE = 9

/** @returns the local TCP ports (IPv4) of a process, at this moment */
export function portsOf(pid: number): Set<number> {
  const folder = `/proc/${pid}/fd`
  const inodes = new Set<string>()
  for (const file of readdirSync(folder)) {
    const socket = /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${file}`))
    if (socket) inodes.add(socket[1]!)
  }
  const ports = new Set<number>()
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/)
    if (inodes.has(columns[INODE] ?? '')) ports.add(Number.parseInt(columns[LOCAL]!.split(':')[1]!, 16))
  }
  return ports
}

/** A file may have been closed since it was listed. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
