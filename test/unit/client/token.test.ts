/** The client's token: kept while it lasts, renewed before it ends, asked for again where it is refused. */
import { describe, expect, it } from 'vitest'
import { StarlingError, type TokenReason } from '../../../client/src/index.ts'
import { settled } from './support/manual-clock.ts'
import { jwt, setup } from './support/setup.ts'

describe('the token', () => {
  const setupTokens = (tokens: (string | Error)[]) => {
    const asked: TokenReason[] = []
    const getToken = async (why: TokenReason) => {
      asked.push(why)
      const token = tokens.shift()
      if (typeof token === 'string') return token
      throw token ?? new Error('no more tokens')
    }
    return { asked, ...setup({ getToken }) }
  }

  it('is used again on the next line, as long as it lasts', async () => {
    const { client, gateway, clock, asked } = setupTokens([jwt(1_100), jwt(9_000)])
    client.connect()
    ;(await gateway.joins()).end(1006)
    await clock.turn(250)
    expect((await gateway.greets()).hello.token).toBe(jwt(1_100))
    gateway.lines.at(-1)?.end(4009)
    await clock.turn(60_000)
    gateway.lines.at(-1)?.end(4010)
    await clock.turn(30_000)
    expect((await gateway.greets()).hello.token).toBe(jwt(9_000))
    expect(asked).toEqual(['first', 'expiring'])
  })

  it('is asked for anew after 4001', async () => {
    const { client, gateway, clock, asked } = setupTokens(['bad', 'good'])
    client.connect()
    const { line } = await gateway.greets()
    line.say({ op: 'error', ref: 'hello', code: 'unauthorized', message: 'expired' })
    line.end(4001)
    await clock.turn(250)
    expect((await gateway.greets()).hello.token).toBe('good')
    expect(asked).toEqual(['first', 'unauthorized'])
  })

  it('is renewed a minute before its end, by the server’s clock', async () => {
    const { client, gateway, clock, asked } = setupTokens([jwt(2_600), jwt(9_000)])
    client.connect()
    // The server is 1,000 s ahead: 600 s are left.
    const line = await gateway.joins({ more: { time: 2_000_000, heartbeat: 10_000_000 } })
    await clock.turn(539_999)
    await line.hearsNothing()
    await clock.turn(1)
    expect(await line.hears('token')).toMatchObject({ token: jwt(9_000) })
    expect(asked).toEqual(['first', 'expiring'])
  })

  it('is tried for again where a renewal fails', async () => {
    const { client, gateway, clock, record } = setupTokens([jwt(1_600), new Error('offline'), jwt(9_000)])
    const errors = record('error')
    client.connect()
    const line = await gateway.joins({ more: { heartbeat: 10_000_000 } })
    await clock.turn(540_000)
    expect(errors).toMatchObject([{ message: 'offline' }])
    await line.hearsNothing()
    await clock.turn(1_000)
    await line.hears('token')
  })

  it('that is refused for good closes the client', async () => {
    const { client, record } = setupTokens([new StarlingError('unauthorized', 'signed out')])
    const closes = record('close')
    record('error')
    client.connect()
    await settled()
    expect(client.state).toBe('closed')
    expect(closes).toEqual([{ code: 4001, name: 'unauthorized', reconnect: false }])
  })

  it('that can’t be had for now is tried for with back-off', async () => {
    const { client, gateway, clock, asked, record } = setupTokens([new Error('offline'), 'token'])
    record('error')
    client.connect()
    await clock.turn(250)
    await gateway.greets()
    expect(asked).toEqual(['first', 'first'])
  })
})
