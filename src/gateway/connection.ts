/**
 * A connection as the gateway sees it, whichever transport carries it: frames out, topics, an end.
 */
import type { CloseCode } from '@starling/protocol/close'

export interface Connection {
  readonly remoteAddress: string
  /** Sends what is serialised already; a peer for whom too much waits is closed with 4008, not left with a hole. */
  send(frame: string | Uint8Array): void
  /** Bytes that wait for the peer to read. */
  buffered(): number
  /** Follows a topic of the transport's own fan-out, from behind what was sent so far. */
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** Says why and closes; what was sent before still goes out. May be called twice. */
  end(code: CloseCode, reason: string): void
  /** Resolves when the peer has read, or is gone. */
  drained(): Promise<void>
}

/** What a transport tells of its connections. */
export interface ConnectionHandler {
  open(connection: Connection): Receiver
}

export interface Receiver {
  /** One frame's bytes, only valid during the call. */
  frame(bytes: ArrayBuffer | Uint8Array): void
  /** A frame that isn't text. */
  binary(): void
  closed(code: number): void
}

/** The topic that every session follows. */
export const EVERYBODY = 'everybody'

/** @returns the topic of a conversation's live frames; channels have one in common, since they are for everybody */
export const topicOf = (conv: string): string => (conv.startsWith('channel:') ? EVERYBODY : conv)

/** The other half of a transport: frames to all who follow a topic. */
export interface TopicPublisher {
  publish(topic: string, frame: string | Uint8Array): void
}
