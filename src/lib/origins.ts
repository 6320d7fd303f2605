/** Which pages of browsers may talk to a gateway, for `/ws` and `/api` alike. */

/** Which pages of browsers may connect. */
export type Origins = 'sameHost' | 'any' | ReadonlySet<string>

/**
 * @param allowed the setting; undefined means pages of the same host
 * @param origin the request's `Origin`; missing or empty: no browser's page, allowed
 * @param host the request's `Host`. A proxy may have taken TLS off, so the scheme can't be compared
 */
export function isAllowedOrigin(
  allowed: Origins | undefined,
  origin: string | undefined,
  host: string | undefined,
): boolean {
  if (!origin || allowed === 'any') return true
  if (allowed !== undefined && allowed !== 'sameHost') return allowed.has(origin)
  const page = URL.parse(origin)
  return (
    page !== null && host !== undefined && page.host !== '' && page.host === withoutDefaultPort(host, page)
  )
}

/** A page's `host` has no port where it is the scheme's own; a `Host` header may spell it out. */
function withoutDefaultPort(host: string, page: URL): string {
  return URL.parse(`${page.protocol}//${host}`)?.host ?? host
}
