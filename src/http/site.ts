/**
 * The web client, read into memory at boot: what is not a file of its build then can't be asked for.
 * Paths without a file belong to the client's own router and get its page.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import type { Context } from 'hono'

interface Page {
  bytes: Uint8Array<ArrayBuffer>
  etag: string
  headers: Record<string, string>
}

/** The build as paths, such as `/assets/index-B1x.js`. */
export type Site = ReadonlyMap<string, Page>

const INDEX = '/index.html'

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json'],
  ['.map', 'application/json'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.webp', 'image/webp'],
  ['.woff2', 'font/woff2'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.webmanifest', 'application/manifest+json'],
])

/** What the build puts there has a hash in its name and never changes. */
const isHashed = (path: string) => path.startsWith('/assets/')

/** Reads a build. @returns undefined where there is none */
export function readSite(dir: string): Site | undefined {
  const site = new Map<string, Page>()
  for (const entry of entriesOf(dir)) {
    // Links are not followed: what they point at need not be of the build.
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const path = `/${relative(dir, file).split(sep).join('/')}`
    const bytes = new Uint8Array(readFileSync(file))
    const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`
    site.set(path, {
      bytes,
      etag,
      headers: {
        'content-type': TYPES.get(extname(path)) ?? 'application/octet-stream',
        'cache-control': isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
        etag,
      },
    })
  }
  return site.has(INDEX) ? site : undefined
}

function entriesOf(dir: string) {
  try {
    return readdirSync(dir, { recursive: true, withFileTypes: true })
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw fault
  }
}

/** @returns the answer from the build; undefined where the path is none of its own */
export function answerFromSite(site: Site, c: Context): Response | undefined {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return undefined
  const page = site.get(c.req.path) ?? (extname(c.req.path) === '' ? site.get(INDEX) : undefined)
  if (!page) return undefined
  // Without a pattern for the spaces: a header full of them would take it the square of their number.
  const known =
    c.req
      .header('if-none-match')
      ?.split(',')
      .map((tag) => tag.trim()) ?? []
  if (known.some((tag) => tag === '*' || tag.replace(/^W\//, '') === page.etag))
    return c.body(null, 304, page.headers)
  return c.body(page.bytes, 200, page.headers)
}
