/**
 * How the terminal client shows things. Messages go to stdout, everything else to stderr, so that a pipe gets
 * messages alone.
 */
import { clearLine, cursorTo, type Interface } from 'node:readline'
import type { Body, EventBody, Message } from '../client/src/index.ts'

/** Others' texts must not move the cursor, colour the screen or ring the bell. */
const clean = (text: string) => text.replace(/\p{Cc}+/gu, ' ')

function textOf(body: Body): string {
  switch (body.type) {
    case 'text':
      return body.text
    case 'image':
    case 'file':
      return `[${body.type} ${body.name}, ${body.size} bytes] ${body.url}`
    case 'custom':
      return `[custom] ${JSON.stringify(body)}`
    case 'event':
      return eventText(body)
  }
}

function eventText(event: EventBody): string {
  switch (event.event) {
    case 'member_joined':
      return `* ${event.users.join(', ')} joined, by ${event.by}`
    case 'member_left':
      return `* ${event.users.join(', ')} left`
    case 'member_removed':
      return `* ${event.users.join(', ')} removed by ${event.by}`
    case 'role_changed':
      return `* ${event.user} is ${event.role} now, by ${event.by}`
    case 'group_updated':
      return `* ${event.by} changed ${event.fields.join(', ')}`
    case 'group_dissolved':
      return `* dissolved by ${event.by}`
    case 'message_recalled':
      return `* ${event.by} took ${event.id} back`
  }
}

/** @returns a message in one line: time, where, who, what */
export function lineOf({ conv, id, from, body }: Message, me: string): string {
  const time = new Date(Number(id.split('-')[0])).toTimeString().slice(0, 5)
  const [kind, first, second] = conv.split(':')
  if (kind !== 'dm') return clean(`${time} ${conv} ${from}: ${textOf(body)}`)
  const peer = first === me ? second : first
  return clean(`${time} ${from === me ? `you to ${peer}` : from}: ${textOf(body)}`)
}

export interface View {
  message(line: string): void
  note(line: string): void
}

/** @param prompt what the user is typing in, to be put back below each line; undefined where nobody types */
export function createView(prompt: Interface | undefined): View {
  const show = (out: NodeJS.WriteStream, line: string) => {
    if (prompt !== undefined) {
      clearLine(process.stdout, 0)
      cursorTo(process.stdout, 0)
    }
    out.write(`${line}\n`)
    prompt?.prompt(true)
  }
  return {
    message: (line) => show(process.stdout, line),
    note: (line) => show(process.stderr, line),
  }
}
