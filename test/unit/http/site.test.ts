/** The web client as files: what is served, how long it may be kept, and what can't be reached. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { bareApp } from './bare-app.ts'

const folder = mkdtempSync(join(tmpdir(), 'site-'))
afterAll(() => rmSync(folder, { recursive: true }))
const webDir = join(folder, 'dist')
mkdirSync(join(webDir, 'assets'), { recursive: true })
writeFileSync(join(folder, 'outside.txt'), 'secret')
writeFileSync(join(webDir, 'index.html'), '<!doctype html>page')
writeFileSync(join(webDir, 'icon.svg'), '<svg/>')
writeFileSync(join(webDir, 'assets', 'index-B1x.js'), 'run()')
symlinkSync(join(folder, 'outside.txt'), join(webDir, 'link.txt'))
const { ask } = bareApp({ webDir })

test('the page is at /, and at every path of the client’s own router', async () => {
  for (const path of ['/', '/index.html', '/chat/dm:a:b', '/settings?x=1']) {
    const response = await ask(path)
    expect([response.status, await response.text()]).toEqual([200, '<!doctype html>page'])
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-cache')
  }
})

test('assets are kept for ever, the rest is asked for again', async () => {
  const script = await ask('/assets/index-B1x.js')
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect((await ask('/icon.svg')).headers.get('cache-control')).toBe('no-cache')
})

test('who has it already gets 304', async () => {
  const etag = (await ask('/')).headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[\w-]+"$/)
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const response = await ask('/', { headers: { 'if-none-match': tag } })
    expect([response.status, await response.text()]).toEqual([304, ''])
  }
  expect((await ask('/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
})

test('what is no file of the build is not there', async () => {
  const paths = [
    '/assets/nothing.js',
    '/link.txt',
    '/outside.txt',
    '/..%2foutside.txt',
    '/%2e%2e/outside.txt',
    '/assets/..%5c..%5coutside.txt',
    '/assets/__proto__.js',
    '/api/v1/nothing',
    '/ws',
  ]
  for (const path of paths) {
    const response = await ask(path)
    expect([path, response.status]).toEqual([path, 404])
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
  }
  expect((await ask('/', { method: 'POST' })).status).toBe(404)
})

test('nothing may be added to the page, guessed or framed', async () => {
  const { headers } = await ask('/')
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self';/)
  expect(headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('x-frame-options')).toBe('DENY')
})

test('without a build there is no page', async () => {
  expect((await bareApp({ webDir: join(folder, 'nowhere') }).ask('/')).status).toBe(404)
  expect((await bareApp().ask('/')).status).toBe(404)
})
