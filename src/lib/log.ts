/**
 * The log: JSON lines on stdout. Never a token, never a message body: log ids and codes.
 */
import { type Logger, pino } from 'pino'

export type Log = Logger

export const createLog = (level: string, node: string): Log =>
  pino({ level, base: { node }, timestamp: pino.stdTimeFunctions.isoTime })
