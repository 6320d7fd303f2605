import { expect, it } from 'vitest'
import { showLogLine } from '../../../scripts/lib/log-line.ts'

const warning = JSON.stringify({
  level: 40,
  time: 1,
  pid: 2,
  hostname: 'h',
  node: 'gw-1',
  msg: 'slow',
  bufferBytes: 9,
  to: 'a',
})

it('shows a warning short, with its own fields only', () => {
  expect(showLogLine('gw-1', warning, false)).toBe('gw-1  warn  slow bufferBytes=9 to=a')
})

it('keeps quiet about what is no warning, unless asked for all', () => {
  const info = JSON.stringify({ level: 30, msg: 'listening' })
  expect(showLogLine('gw-1', info, false)).toBeUndefined()
  expect(showLogLine('gw-1', info, true)).toBe('gw-1  info  listening')
})

it('shows what is no log line as it is: a crash speaks plain text', () => {
  expect(showLogLine('gw-1', 'PORT: not a number', false)).toBe('gw-1  PORT: not a number')
  expect(showLogLine('gw-1', '42', false)).toBe('gw-1  42')
  expect(showLogLine('gw-1', '', true)).toBeFalsy()
})
