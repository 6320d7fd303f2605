/** What things are called in the page's language: users, conversations, messages in one line, events. */
import type { ConversationEntry, Message } from '@starling/protocol/frames'
import { parseConv, SYSTEM } from '@starling/protocol/ids'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { IconName } from '../components/icons.ts'
import { locale } from '../locales/index.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useConversationsStore } from '../stores/conversations.ts'
import { useGroupsStore } from '../stores/groups.ts'
import { usePeopleStore } from '../stores/people.ts'

/** So many users of an event are named, the rest counted. */
const NAMED = 5

const lists = computed(() => new Intl.ListFormat(locale.value, { type: 'conjunction' }))

export function useNames() {
  const { t, te } = useI18n()
  const { me } = useConnectionStore()
  const conversations = useConversationsStore()
  const groups = useGroupsStore()
  const people = usePeopleStore()

  function titleOf(conv: string): string {
    const parts = parseConv(conv)
    switch (parts?.kind) {
      case 'dm': {
        const peer = conversations.peerOf(conv) ?? me
        const name = people.nameOf(peer)
        return peer === me ? t('chats.self', { name }) : name
      }
      case 'group':
        return groups.groups.get(parts.group)?.name ?? conversations.entries.get(conv)?.title ?? parts.group
      case 'channel':
        return channelName(parts.channel)
      case undefined:
        return conv
    }
  }

  function channelName(channel: string): string {
    if (channel === 'lobby') return t('channel.lobby')
    if (channel === 'announcements') return t('channel.announcements')
    return channel
  }

  /** What a channel is for. */
  function hintOf(conv: string): string {
    if (conv === 'channel:lobby') return t('conversation.lobbyHint')
    if (conv === 'channel:announcements') return t('conversation.announcementsHint')
    return conv.startsWith('channel:') ? t('conversation.channelHint') : ''
  }

  /** What the colour of its avatar hangs on. */
  const faceOf = (conv: string): string => conversations.peerOf(conv) ?? conv

  function iconOf(conv: string): IconName | undefined {
    if (conv.startsWith('group:')) return 'group'
    if (conv === 'channel:announcements') return 'announcement'
    return conv.startsWith('channel:') ? 'channel' : undefined
  }

  const subject = (user: string) => (user === me ? t('event.you') : people.nameOf(user))
  const object = (user: string) => (user === me ? t('event.youObject') : people.nameOf(user))

  function listOf(users: readonly string[], nameOf: (user: string) => string): string {
    const names = users.slice(0, NAMED).map(nameOf)
    if (users.length > NAMED) names.push(t('event.more', { count: users.length - NAMED }))
    return lists.value.format(names)
  }

  function eventText({ body, from }: Message): string {
    if (body.type !== 'event') return ''
    const by = subject(from)
    switch (body.event) {
      case 'member_joined': {
        // Who makes a group is its first member; the others are whom they have added.
        const others = body.users.filter((user) => user !== from)
        return others.length === 0
          ? t('event.member_joined_self', { users: by })
          : t('event.member_joined', { by, users: listOf(others, object) })
      }
      case 'member_left':
        return t('event.member_left', { users: listOf(body.users, subject) })
      case 'member_removed':
        return t('event.member_removed', { by, users: listOf(body.users, object) })
      case 'role_changed':
        return t('event.role_changed', { by, user: object(body.user), role: roleName(body.role) })
      case 'group_updated':
        return t('event.group_updated', { by, fields: lists.value.format(body.fields.map(fieldName)) })
      case 'group_dissolved':
        return t('event.group_dissolved', { by })
      case 'message_recalled':
        return t('event.message_recalled', { by })
      default:
        return t('event.other')
    }
  }

  const roleName = (role: string) => (te(`role.${role}`) ? t(`role.${role}`) : role)
  const fieldName = (field: string) => (te(`event.fields.${field}`) ? t(`event.fields.${field}`) : field)

  /** A message in one line, without its author. */
  function summaryOf(message: Message): string {
    const { body } = message
    switch (body.type) {
      case 'text':
        return body.text
      case 'image':
        return t('message.image', { name: body.name })
      case 'file':
        return t('message.file', { name: body.name })
      case 'event':
        return eventText(message)
      default:
        return t('message.custom')
    }
  }

  /** The newest message of a conversation as its list shows it. */
  function previewOf({ conv, last }: ConversationEntry): string {
    if (last === undefined) return conv.startsWith('dm:') ? '' : hintOf(conv)
    const text = summaryOf(last)
    if (last.body.type === 'event') return text
    if (last.from === me) return conversations.peerOf(conv) === me ? text : t('chats.you', { text })
    return conv.startsWith('dm:') || last.from === SYSTEM
      ? text
      : t('chats.says', { name: people.nameOf(last.from), text })
  }

  return { titleOf, hintOf, faceOf, iconOf, roleName, eventText, summaryOf, previewOf }
}
