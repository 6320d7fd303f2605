/**
 * A line: one socket as the connection sees it: text in, text out, one end. Which endpoint it goes to, what
 * the text means and whether a late event still counts is decided elsewhere.
 */
import { SUBPROTOCOL } from '@starling/protocol/limits'

/** The part of the browser's WebSocket that is used; Node's and that of `ws` fit as well. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike

export interface Line {
  send(text: string): void
  hangUp(): void
}

export interface LineEvents {
  opened(): void
  heard(text: string): void
  /** Once, at the end: the code the server closed with, or 1006. */
  ended(code: number): void
}

/** @returns where the WebSocket of an endpoint is. @throws TypeError for what is no URL of a server */
export function socketUrl(endpoint: string): string {
  const url = new URL(endpoint)
  if (url.protocol === 'http:') url.protocol = 'ws:'
  if (url.protocol === 'https:') url.protocol = 'wss:'
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw new TypeError(`no ws or http URL: ${endpoint}`)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith('/ws') ? path : `${path}/ws`
  url.search = ''
  url.hash = ''
  return url.href
}

/** Opens a line. Throws where the URL is refused at once (a `ws:` one on an `https:` page). */
export function openLine(Socket: WebSocketConstructor, endpoint: string, on: LineEvents): Line {
  const socket = new Socket(socketUrl(endpoint), SUBPROTOCOL)
  let isOpen = false
  let isOver = false
  const end = (code: number) => {
    if (isOver) return
    isOver = true
    on.ended(code)
  }
  socket.onopen = () => {
    isOpen = true
    on.opened()
  }
  socket.onmessage = ({ data }: { data: unknown }) => {
    if (typeof data === 'string') on.heard(data)
  }
  socket.onclose = ({ code }: { code: number }) => end(code)
  // A close with the code follows, except in Node 22 where the socket never opened.
  socket.onerror = () => {
    if (!isOpen) end(1006)
  }
  return { send: (text) => socket.send(text), hangUp: () => socket.close(1000) }
}
