/** What the page reads from its own JWT, and how its tabs take turns in renewing it. */

/** @returns seconds until the token ends; 0 for one that can't be read */
export function secondsLeft(token: string): number {
  try {
    const [, payload = ''] = token.split('.')
    const { exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { exp: number }
    return Math.max(0, exp - Date.now() / 1000)
  } catch {
    return 0
  }
}

/**
 * Runs `work` while no other tab runs work of that name: a refresh token is good for one use.
 * Pages without TLS have no locks; there two tabs may collide, and one of them signs in anew.
 */
export async function alone<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  return 'locks' in navigator ? await navigator.locks.request(name, work) : await work()
}
