/** Starts the live side: every store listens before the first frame can come. */
import { useConnectionStore } from './connection.ts'
import { useConversationsStore } from './conversations.ts'
import { useGroupsStore } from './groups.ts'
import { useMessagesStore } from './messages.ts'
import { usePresenceStore } from './presence.ts'

/** Connects the signed-in user. @returns what ends it for good */
export function startLive(): () => void {
  const { client } = useConnectionStore()
  useConversationsStore()
  useMessagesStore()
  useGroupsStore()
  usePresenceStore()
    .watchAll()
    .catch(() => {
      // Only a closed client ends here; the page goes with it.
    })
  client.connect()
  return () => void client.close()
}
