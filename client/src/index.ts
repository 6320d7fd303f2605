/**
 * @starling/client: what applications may use.
 */
export type {
  Body,
  ConversationEntry,
  EventBody,
  Limits,
  Message,
  MessageFrame,
  SessionInfo,
  User,
  UserBody,
  Welcome,
} from '@starling/protocol/frames'
export * from './api.ts'
export { createClient } from './client.ts'
export type { Clock, Timer } from './clock.ts'
export type { ConnectionState } from './connection.ts'
export { StarlingError, type StarlingErrorCode, type StarlingErrorDetails } from './errors.ts'
export {
  browserDevice,
  browserStorage,
  type PositionStorage,
  type Saved,
  type SavedDraft,
} from './storage.ts'
export type { WebSocketConstructor, WebSocketLike } from './transport.ts'
export type * from './types.ts'
