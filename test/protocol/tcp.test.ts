/** Frames over raw TCP: one per line, the same ops and the same answers as over WebSocket. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { dmOf, useWorld, worldFor } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'
import { signToken } from '../support/harness-jwt.ts'
import { TcpClient } from '../support/harness-tcp.ts'

const world = await useWorld()
const { gw1, gw2 } = world

describe('a TCP session', () => {
  test('talks with WebSocket sessions on another gateway, both ways', async () => {
    const alice = await world.user('alice').connectTcp(gw1, { device: 'sensor', platform: 'tcp' })
    const bob = await world.user('bob').connect(gw2)
    expect(alice.welcome).toMatchObject({ node: 'gw-1', heartbeat: 25_000, resumed: false })
    const ack = await alice.send(bob, 'over TCP', { ref: 'r' })
    expect(await bob.expects('message')).toMatchObject({
      id: ack.id,
      from: alice.id,
      ref: 'r',
      body: text('over TCP'),
    })
    const answer = await bob.send(alice, 'line\nbreaks \r\n and 你好 \u2028')
    expect(await alice.expects('message')).toMatchObject({
      id: answer.id,
      conv: dmOf(alice, bob),
      from: bob.id,
    })
    expect(alice.seen('message').at(-1)!.body).toEqual(text('line\nbreaks \r\n and 你好 \u2028'))
    const { sessions } = await alice.expects('session')
    expect(sessions).toMatchObject([
      { session: alice.session, device: 'sensor', platform: 'tcp', node: 'gw-1' },
    ])
    const { messages } = await alice.sync({ inbox: '0-0' })
    expect(messages.map((message) => message.id)).toContain(answer.id)
  })

  test('may end lines with CR LF, leave lines empty, and send several at once', async () => {
    const alice = await world.user('alice').connectTcp()
    alice.say('{"op":"ping","ref":"1"}\r\n\n\r\n\n{"op":"ping","ref":"2"}\n{"op":"ping","ref":"3"}\r\n')
    await alice.reply('3')
    expect(alice.seen('pong').map((pong) => pong.ref)).toEqual(['1', '2', '3'])
    expect(alice.seen('error')).toEqual([])
  })

  test('may send a frame in pieces, cut within a character', async () => {
    const alice = await world.user('alice').connectTcp(gw1)
    const bob = await world.user('bob').connect(gw2)
    const line = Buffer.from(`${JSON.stringify(alice.sendFrame(bob, '字字字👩‍👩‍👧', { ref: 'bits' }))}\n`)
    for (const byte of line) {
      alice.say(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
    expect((await alice.reply('bits')).op).toBe('ack')
    expect((await bob.expects('message')).body).toEqual(text('字字字👩‍👩‍👧'))
  })

  test('may send frames right behind hello', async () => {
    const user = world.user('alice')
    const line = await world.openTcp(gw1)
    const hello = JSON.stringify({ op: 'hello', ref: 'h', token: user.token(), device: 'd' })
    line.say(`${hello}\n{"op":"ping","ref":"p"}\n`)
    await line.reply('p')
    expect(line.frames.flatMap((frame) => ('ref' in frame ? [frame.ref] : []))).toEqual(['h', 'p'])
  })

  test('is online while it lasts, and its user off when it drops', async () => {
    const watcher = await world.user('watcher').connect(gw2)
    const alice = await world.user('alice').connectTcp(gw1)
    const ok = await watcher.gets('ok', { op: 'watch', users: [alice.id] })
    expect(ok).toMatchObject({ presence: { on: [alice.id], off: [] } })
    alice.drop()
    await watcher.expects('presence', ({ off }) => off.includes(alice.id), 5_000)
  })
})

describe('the last line', () => {
  test('is a close with the code and the reason: 4001 for a bad token', async () => {
    const line = await world.openTcp()
    line.say({ op: 'hello', ref: 'h', token: signToken({ sub: 'mallory' }, 'x'.repeat(64)), device: 'd' })
    expect(await line.reply('h')).toMatchObject({ op: 'error', code: 'unauthorized' })
    expect(await line.closes()).toEqual({ code: 4001, reason: expect.any(String) })
  })

  test('says 4000 after three bad frames in a row, and for a first frame that is no hello', async () => {
    const alice = await world.user('alice').connectTcp()
    alice.say('nonsense\n[]\n')
    alice.say('{"op":7}\n')
    expect((await alice.closes()).code).toBe(4000)
    const early = await world.openTcp()
    early.say({ op: 'ping', ref: 'p' })
    expect((await early.closes()).code).toBe(4000)
  })

  test('says 1009 for a line of more than 64 KiB, finished or not; 64 KiB are fine', async () => {
    const sized = (bytes: number) => `{"op":"ping","ref":"big","x":"${'x'.repeat(bytes - 32)}"}`
    expect(sized(65_536)).toHaveLength(65_536)
    const alice = await world.user('alice').connectTcp()
    alice.say(`${sized(65_536)}\n`)
    expect((await alice.reply('big')).op).toBe('pong')
    alice.say(`${sized(65_537)}\n`)
    expect((await alice.closes()).code).toBe(1009)
    const endless = await world.user('bob').connectTcp()
    endless.say('x'.repeat(200_000))
    expect([1009, 1006]).toContain((await endless.closes()).code)
  })

  test('says 1007 for bytes that are not UTF-8, or the line just drops', async () => {
    const alice = await world.user('alice').connectTcp()
    alice.say(Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a]))
    expect([1006, 1007]).toContain((await alice.closes()).code)
  })

  test('says 4003 when the user closes the session', async () => {
    const user = world.user('alice')
    const alice = await user.connectTcp(gw1)
    await user.http(gw2).delete(`/sessions/${alice.session}`)
    expect((await alice.closes()).code).toBe(4003)
  })
})

describe('TLS', () => {
  test('carries WebSocket, HTTP and TCP lines where TLS_CERT and TLS_KEY are set', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-'))
    context.onTestFinished(() => rmSync(folder, { recursive: true }))
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    execFileSync('openssl', ['req', '-x509', ...newKey, '-keyout', key, '-out', cert, ...subject], {
      stdio: 'ignore',
    })
    const secure = await worldFor(context, { gateways: 1, env: { TLS_CERT: cert, TLS_KEY: key } })
    const alice = secure.user('alice')
    const wire = await alice.connect(secure.gw1, { wire: { rejectUnauthorized: false } })
    const socket = connectTls({ port: secure.gw1.tcpPort, host: '127.0.0.1', rejectUnauthorized: false })
    context.onTestFinished(() => void socket.destroy())
    const line = await TcpClient.over(socket, 'secureConnect')
    await line.hello({ token: secure.user('bob').token(), device: 'd' })
    const ack = await wire.send(line, 'sealed')
    expect((await line.expects('message')).id).toBe(ack.id)
  })
})

test('no TCP port is listened on where none is set', async (context) => {
  const none = await worldFor(context, { gateways: 1, env: { TCP_PORT: '' } })
  const [error] = (await once(connect(none.gw1.tcpPort, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})
