/**
 * Close codes: why a connection ended, and whether and when a client comes back.
 */

/** How a client comes back: at once on the server's word, with back-off, after a wait, with a new token, or never. */
export type Reconnect =
  | { when: 'goodbye' }
  | { when: 'backoff' }
  | { when: 'after'; ms: number }
  | { when: 'newToken' }
  | { when: 'never' }

export const CLOSE_CODES = {
  1001: { name: 'going away', reconnect: { when: 'goodbye' } },
  1006: { name: 'line lost', reconnect: { when: 'backoff' } },
  1007: { name: 'not UTF-8', reconnect: { when: 'never' } },
  1009: { name: 'frame too large', reconnect: { when: 'never' } },
  1011: { name: 'server fault', reconnect: { when: 'backoff' } },
  1012: { name: 'restart', reconnect: { when: 'goodbye' } },
  4000: { name: 'bad frames', reconnect: { when: 'never' } },
  4001: { name: 'unauthorized', reconnect: { when: 'newToken' } },
  4002: { name: 'hello timeout', reconnect: { when: 'backoff' } },
  4003: { name: 'session closed', reconnect: { when: 'never' } },
  4008: { name: 'too slow', reconnect: { when: 'backoff' } },
  4009: { name: 'rate limit', reconnect: { when: 'after', ms: 60_000 } },
  4010: { name: 'too many sessions', reconnect: { when: 'after', ms: 30_000 } },
  4013: { name: 'overloaded', reconnect: { when: 'backoff' } },
} as const satisfies Record<number, { name: string; reconnect: Reconnect }>

export type CloseCode = keyof typeof CLOSE_CODES

/** @returns what to do after a close; a code that is not ours (1000, a proxy's) is treated as a lost line */
export function reconnectAfter(code: number): Reconnect {
  return code in CLOSE_CODES ? CLOSE_CODES[code as CloseCode].reconnect : { when: 'backoff' }
}
