/** A group as its member sees it: what it is, who is in it, and what this user may do about it. */
import type { Member } from '@starling/client'
import { useMessage } from 'naive-ui'
import { computed, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useConfirm } from '../../composables/useConfirm.ts'
import { failureText } from '../../lib/failure.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { useGroupsStore } from '../../stores/groups.ts'
import { usePeopleStore } from '../../stores/people.ts'

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
  /** An owner leaves last: a group is never without one. */
  const leavable = computed(
    () => list.value !== undefined && (role.value !== 'owner' || list.value.total === 1),
  )

  async function load(): Promise<void> {
    try {
      await Promise.all([groups.load(id()), groups.loadMembers(id())])
    } catch (error) {
      toast.error(failureText(error))
    }
  }
  watch(id, () => void load(), { immediate: true })

  /** Whether this user may take that member out: those of higher role may. */
  function removable(member: Member): boolean {
    if (role.value === 'owner') return member.user !== me
    return role.value === 'admin' && member.role === 'member'
  }

  function remove(user: string): void {
    const who = { name: people.nameOf(user) }
    confirm(t('group.remove', who), t('group.removeConfirm', who), () => groups.remove(id(), user))
  }

  function leave(): void {
    confirm(t('group.leave'), t('group.leaveConfirm', { name: name.value }), () => groups.remove(id(), me))
  }

  return { group, list, name, leavable, removable, remove, leave }
}
