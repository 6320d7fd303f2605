/**
 * The numbers both sides know. Those a deployment may change come to the client in `welcome.limits`.
 */

export const SUBPROTOCOL = 'starling.v1'
export const MAX_FRAME_BYTES = 64 * 1024
export const MAX_BODY_BYTES = 16 * 1024
/** Objects and arrays within each other, the outermost counted. */
export const MAX_DEPTH = 32
/** A frame up to this size is answered with a close frame, a larger one by dropping the line. */
export const MAX_CLOSEABLE_FRAME_BYTES = 1024 * 1024
export const HELLO_TIMEOUT_MS = 10_000
export const HEARTBEAT_MS = 25_000
/** A peer from which nothing came for this long is dropped. */
export const IDLE_TIMEOUT_MS = 60_000
/** How much longer than its token a connection may live. */
export const TOKEN_LEEWAY_MS = 5_000
export const BAD_FRAMES_IN_A_ROW = 3
export const REFUSALS_BEFORE_CLOSE = 1_000
export const REFUSAL_WINDOW_MS = 10_000
export const BATCH_FRAMES = 100
export const BATCH_BYTES = 256 * 1024
export const SYNCED_CONVS = 200
/** A `last` body above this is cut in conversation lists. */
export const LAST_BODY_BYTES = 1024
export const MAX_MENTIONS = 50
export const WATCH_PER_FRAME = 200
export const WATCH_PER_SESSION = 2_000
export const TYPING_EVERY_MS = 3_000
export const RECEIPT_MERGE_MS = 500
export const PRESENCE_MERGE_MS = 100
/** How long a user who has lost the last connection still counts as online. */
export const OFFLINE_GRACE_MS = 2_000
/** How long a jump in `seq` may be filled by what is in flight before it counts as a gap. */
export const GAP_GRACE_MS = 300
export const REF_TTL_MS = 10 * 60_000
export const STRANGER_WINDOW_MS = 90 * 24 * 3_600_000
export const PAGE_DEFAULT = 20
export const PAGE_MAX = 100
export const GROUP_BATCH = 500
export const USERS_PER_QUERY = 50
export const PUSH_TARGETS = 500
