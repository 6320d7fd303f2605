import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openLine, socketUrl, type WebSocketLike } from '../../../client/src/transport.ts'

describe('a line', () => {
  it('that can not be had ends once, in Node too, which forgets the close event', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const code = await new Promise<number>((ended) => {
      openLine(WebSocket, `ws://127.0.0.1:${port}`, { opened: () => {}, heard: () => {}, ended })
    })
    expect(code).toBe(1006)
  })

  it('ends once, with the code of the close where there is one', () => {
    const sockets: WebSocketLike[] = []
    class Socket implements WebSocketLike {
      onopen: WebSocketLike['onopen'] = null
      onmessage: WebSocketLike['onmessage'] = null
      onclose: WebSocketLike['onclose'] = null
      onerror: WebSocketLike['onerror'] = null
      constructor() {
        sockets.push(this)
      }
      send() {}
      close() {}
    }
    const codes: number[] = []
    const heard: string[] = []
    const on = {
      opened: () => {},
      heard: (text: string) => heard.push(text),
      ended: (code: number) => codes.push(code),
    }
    openLine(Socket, 'ws://gw', on)
    openLine(Socket, 'ws://gw', on)
    const [failing, open] = sockets as [WebSocketLike, WebSocketLike]
    failing.onerror?.({} as never)
    failing.onclose?.({ code: 1006 } as never)
    expect(codes).toEqual([1006])
    open.onopen?.({} as never)
    open.onmessage?.({ data: 'text' } as never)
    open.onmessage?.({ data: new ArrayBuffer(1) } as never)
    open.onerror?.({} as never)
    expect(codes).toEqual([1006])
    open.onclose?.({ code: 4003 } as never)
    expect(codes).toEqual([1006, 4003])
    expect(heard).toEqual(['text'])
  })

  it('goes to /ws of its endpoint', () => {
    expect(socketUrl('http://gw:8080')).toBe('ws://gw:8080/ws')
    expect(socketUrl('https://gw/chat/')).toBe('wss://gw/chat/ws')
    expect(socketUrl('wss://gw/ws?x=1#y')).toBe('wss://gw/ws')
    expect(() => socketUrl('gw:8080')).toThrow(TypeError)
    expect(() => socketUrl('')).toThrow(TypeError)
  })
})
