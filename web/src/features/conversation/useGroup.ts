/** A group as its member sees it: what it is, who is in it, and what this user may do about it. */
import { useMessage } from 'naive-ui'
import { computed, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useConfirm } from '../../composables/useConfirm.ts'
import { failureText } from '../../lib/failure.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { useGroupsStore } from '../../stores/groups.ts'
import { usePeopleStore } from '../../stores/people.ts'

export type MemberAction = 'makeAdmin' | 'makeMember' | 'makeOwner' | 'remove'

export function useGroup(id: () => string) {
  const { t } = useI18n()
  const toast = useMessage()
  const confirm = useConfirm()
  const { me } = useConnectionStore()
  const groups = useGroupsStore()
  const people = usePeopleStore()

  const group = computed(() => groups.groups.get(id()))
  const list = computed(() => groups.members.get(id()))
  const name = computed(() => group.value?.name ?? id())
  const role = computed(() => list.value?.members.find(({ user }) => user === me)?.role)
  const leads = computed(() => role.value === 'owner' || role.value === 'admin')

  async function load(): Promise<void> {
    try {
      await Promise.all([groups.load(id()), groups.loadMembers(id())])
    } catch (error) {
      toast.error(failureText(error))
    }
  }
  watch(id, () => void load(), { immediate: true })

  /** What this user may do with that member. */
  function actionsFor(member: { user: string; role: string }): MemberAction[] {
    if (member.user === me || member.role === 'owner') return []
    if (role.value === 'owner') {
      return [member.role === 'admin' ? 'makeMember' : 'makeAdmin', 'makeOwner', 'remove']
    }
    return role.value === 'admin' && member.role === 'member' ? ['remove'] : []
  }

  async function tell(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (error) {
      toast.error(failureText(error))
    }
  }

  function act(action: MemberAction, user: string): void {
    const who = { name: people.nameOf(user) }
    switch (action) {
      case 'makeAdmin':
        void tell(groups.setRole(id(), user, 'admin'))
        break
      case 'makeMember':
        void tell(groups.setRole(id(), user, 'member'))
        break
      case 'makeOwner':
        confirm(t('group.makeOwner', who), t('group.makeOwnerConfirm', who), () =>
          groups.transfer(id(), user),
        )
        break
      case 'remove':
        confirm(t('group.remove', who), t('group.removeConfirm', who), () => groups.remove(id(), user))
    }
  }

  function leave(): void {
    confirm(t('group.leave'), t('group.leaveConfirm', { name: name.value }), () => groups.remove(id(), me))
  }

  function dissolve(): void {
    confirm(t('group.dissolve'), t('group.dissolveConfirm', { name: name.value }), () =>
      groups.dissolve(id()),
    )
  }

  return { group, list, name, role, leads, actionsFor, act, leave, dissolve }
}
