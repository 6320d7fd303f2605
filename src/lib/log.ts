/**
 * The log: JSON lines on stdout. Never a token, never a message body: log ids and codes.
 */
import { type Logger, pino } from 'pino'

export type Log = Logger

interface LoggedFault {
  type: string
  message: string
  stack: string | undefined
  code?: string
  cause?: LoggedFault | string
}

/**
 * What of a fault may be logged. Only named fields: a Redis client's error carries its command with all arguments,
 * and so bodies, password hashes and tokens.
 */
function loggedFault(fault: unknown): LoggedFault | string {
  if (!(fault instanceof Error)) return String(fault)
  const { code } = fault as { code?: unknown }
  return {
    type: fault.name,
    message: fault.message,
    stack: fault.stack,
    ...(typeof code === 'string' && { code }),
    ...(fault.cause !== undefined && { cause: loggedFault(fault.cause) }),
  }
}

export const createLog = (level: string, node: string): Log =>
  pino({
    level,
    base: { node },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedFault },
  })
