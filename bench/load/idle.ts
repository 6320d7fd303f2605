/**
 * Generator of silence: connections that are signed in and do nothing.
 */
import type { Login } from './login.ts'
import { serve } from './serve.ts'
import { forEachAtOnce, openSession } from './session.ts'

export type IdleCommands = {
  connect: { argument: Login[]; result: undefined }
  /** @returns what has befallen the connections so far */
  faults: { argument: undefined; result: string[] }
}

const faults: string[] = []

async function connect(logins: Login[]): Promise<void> {
  await forEachAtOnce(logins, async (login) => {
    await openSession({ login, onText: () => {}, onFault: (fault) => faults.push(fault) })
  })
}

serve({ connect, faults: () => faults })
