/** Storing in groups and channels: membership, once per ref, dense ids, and whom it is told. */
import { channelConv, comparePositions, groupConv, seqOf, type UserId } from '@starling/protocol/ids'
import { REF_TTL_MS } from '@starling/protocol/limits'
import { describe, expect, it } from 'vitest'
import { draftOf, ok, type StoreWorld, someGroup, someNode, someone } from '../../support/server-store.ts'

export function appendSuite(store: () => StoreWorld): void {
  const newChannel = () => channelConv(someone('ch'))
  const lengthOf = (conv: string) => store().redis.xlen(store().key(conv, 'log'))

  describe('append', () => {
    it('stores what a member sends, and moves their read position along', async () => {
      const owner = someone()
      const { conv, id: joined } = await store().group(owner)
      const sent = ok(await store().convs.append(draftOf(conv, owner), 'member'))
      expect(seqOf(sent.id)).toBe(seqOf(joined) + 1)
      expect(await store().redis.hget(store().key(conv, 'reads'), owner)).toBe(sent.id)
    })

    it('refuses who is no member, was removed, or where there is no group', async () => {
      const [owner, member] = [someone(), someone()]
      const { group, conv } = await store().group(owner, [member])
      const send = (from: UserId, to = conv) => store().convs.append(draftOf(to, from), 'member')
      expect(await send(someone())).toEqual({ is: 'not_member' })
      expect(await send(member)).toMatchObject({ is: 'ok' })
      await store().remove(group, owner, member)
      expect(await send(member)).toEqual({ is: 'not_member' })
      expect(await send(owner, groupConv(someGroup()))).toEqual({ is: 'not_found' })
    })

    it('refuses one who is muted until then, and no longer', async () => {
      const [owner, member] = [someone(), someone()]
      const { conv, id } = await store().group(owner, [member])
      const mute = (until: number) =>
        store().redis.hset(store().key(conv, 'members'), member, `member ${id} ${until}`)
      await mute(Date.now() + 60_000)
      expect(await store().convs.append(draftOf(conv, member), 'member')).toEqual({ is: 'muted' })
      await mute(Date.now() - 60_000)
      expect(await store().convs.append(draftOf(conv, member), 'member')).toMatchObject({ is: 'ok' })
    })

    it('[P2] answers a ref it has before it asks who may send', async () => {
      const [owner, member] = [someone(), someone()]
      const { group, conv } = await store().group(owner, [member])
      const draft = draftOf(conv, member)
      const first = ok(await store().convs.append(draft, 'member'))
      await store().remove(group, owner, member)
      expect(await store().convs.append(draft, 'member')).toEqual({ is: 'dup', id: first.id })
      await store().forgetRefs(conv)
      expect(await store().convs.append(draft, 'member')).toEqual({ is: 'not_member' })
      expect(await store().convs.append({ ...draft, retry: true }, 'member')).toEqual({
        is: 'dup',
        id: first.id,
      })
    })

    it('[P2] knows a ref of the stretch of time before, though this one begins with an event', async () => {
      const owner = someone()
      const { group, conv } = await store().group(owner)
      const draft = draftOf(conv, owner)
      const { id } = ok(await store().convs.append(draft, 'member'))
      await store().age(conv, 1)
      ok(await store().add(group, owner, [someone()]))
      expect(await store().convs.append(draft, 'member')).toEqual({ is: 'dup', id })
    })

    it('remembers no ref for ever, though an event came before it', async () => {
      const owner = someone()
      const { conv } = await store().group(owner)
      ok(await store().convs.append(draftOf(conv, owner), 'member'))
      const [refs = ''] = await store().refsOf(conv)
      expect(await store().redis.pttl(refs)).toBeGreaterThan(REF_TTL_MS)
    })

    it('[P2] stores a ref once however many sends of it come at the same time', async () => {
      const conv = newChannel()
      const draft = draftOf(conv, someone())
      const sends = await Promise.all(
        Array.from({ length: 50 }, () => store().convs.append(draft, 'channel')),
      )
      expect(sends.filter(({ is }) => is === 'ok')).toHaveLength(1)
      expect(await lengthOf(conv)).toBe(1)
    })

    it('gives dense ids under concurrency, ms and seq both growing', async () => {
      const conv = newChannel()
      const sends = await Promise.all(
        Array.from({ length: 100 }, () => store().convs.append(draftOf(conv, someone()), 'channel')),
      )
      const ids = sends.map((sent) => ok(sent).id).toSorted(comparePositions)
      expect(ids.map(seqOf)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    })

    it('never lets the ms go back, whatever the clock does', async () => {
      const conv = newChannel()
      ok(await store().convs.append(draftOf(conv, someone()), 'channel'))
      const future = Date.now() + 3_600_000
      await store().setHead(conv, `${future}-41`)
      expect(ok(await store().convs.append(draftOf(conv, someone()), 'channel')).id).toBe(`${future}-42`)
    })

    it('keeps about as many messages as it may, the newest ones', async () => {
      const conv = newChannel()
      const convs = store().convsWith({ maxlen: 100 })
      let last = ''
      for (let i = 0; i < 350; i++) last = ok(await convs.append(draftOf(conv, someone()), 'channel')).id
      expect(await lengthOf(conv)).toBeGreaterThanOrEqual(100)
      expect(await lengthOf(conv)).toBeLessThan(350)
      const [newest] = await store().redis.xrevrange(store().key(conv, 'log'), '+', '-', 'COUNT', 1)
      expect(newest?.[0]).toBe(last)
    })

    it('keeps a quiet log for its retention, counted from the last message on', async () => {
      const conv = newChannel()
      const log = store().key(conv, 'log')
      ok(await store().convs.append(draftOf(conv, someone()), 'channel'))
      const retention = 30 * 24 * 3_600_000
      // Renewed at the first message of a day only: the last one of that day must not suffer for it.
      expect(await store().redis.pttl(log)).toBeGreaterThan(retention)
      expect(await store().redis.pttl(log)).toBeLessThanOrEqual(retention + 24 * 3_600_000)
    })

    it('numbers on when a log has ended by its age', async () => {
      const conv = newChannel()
      ok(await store().convs.append(draftOf(conv, someone()), 'channel'))
      await store().redis.del(store().key(conv, 'log'))
      expect(seqOf(ok(await store().convs.append(draftOf(conv, someone()), 'channel')).id)).toBe(2)
    })

    it('tells each node that follows the frame as it is stored, in order, and no other', async () => {
      const owner = someone()
      const { conv } = await store().group(owner)
      const [near, far] = [someNode(), someNode()]
      const [ear, deaf] = [await store().ear(near, conv), await store().ear(far, conv)]
      await store().convs.attach(conv, near, owner)
      const drafts = Array.from({ length: 5 }, (_, i) => draftOf(conv, owner, { text: `naïve “${i}” 💡` }))
      const ids = await Promise.all(
        drafts.map(async (draft) => ok(await store().convs.append(draft, 'member')).id),
      )
      const heard = await ear.heard()
      expect(heard.map(({ kind, topic, mark }) => [kind, topic, mark])).toEqual(
        ids.map((id) => ['m', conv, id]),
      )
      expect(JSON.parse(heard[0]!.frame)).toEqual({
        op: 'message',
        id: ids[0],
        conv,
        from: owner,
        ref: drafts[0]!.ref,
        body: { type: 'text', text: 'naïve “0” 💡' },
      })
      expect(await deaf.heard()).toEqual([])
    })

    it('tells nobody of a dup or a refusal', async () => {
      const [owner, node] = [someone(), someNode()]
      const { conv } = await store().group(owner)
      await store().convs.attach(conv, node, owner)
      const draft = draftOf(conv, owner)
      ok(await store().convs.append(draft, 'member'))
      const ear = await store().ear(node, conv)
      await store().convs.append(draft, 'member')
      await store().convs.append(draftOf(conv, someone()), 'member')
      expect(await ear.heard()).toEqual([])
    })

    it('passes typing on to the nodes of a group, from its members alone', async () => {
      const [owner, node] = [someone(), someNode()]
      const { conv } = await store().group(owner)
      await store().convs.attach(conv, node, owner)
      const ear = await store().ear(node, conv)
      expect(await store().convs.tell(conv, owner, '{"op":"typing"}')).toBe('ok')
      expect(await store().convs.tell(conv, someone(), '{"op":"typing"}')).toBe('not_member')
      expect(await ear.heard()).toEqual([{ kind: 't', topic: conv, mark: '-', frame: '{"op":"typing"}' }])
    })
  })

  describe('attach and detach', () => {
    const held = (conv: string, node: ReturnType<typeof someNode>) =>
      store().redis.smembers(store().keys.held(store().keys.bucketOf(conv), node))

    it('puts a node into the list and the note of what it holds, and takes it out of both', async () => {
      const [owner, node] = [someone(), someNode()]
      const { conv, id } = await store().group(owner)
      expect(await store().convs.attach(conv, node, owner)).toEqual({ head: id, joined: id })
      expect(await store().nodesOf(conv)).toEqual([node])
      expect(await held(conv, node)).toEqual([conv])
      await store().convs.detach(conv, node)
      expect(await store().nodesOf(conv)).toEqual([])
      expect(await held(conv, node)).toEqual([])
    })

    it('leaves the other nodes where they are, and nothing of a channel that nobody holds', async () => {
      const [conv, one, another] = [newChannel(), someNode(), someNode()]
      for (const node of [one, another, one]) await store().convs.attach(conv, node)
      expect(await store().nodesOf(conv)).toEqual([one, another])
      await store().convs.detach(conv, one)
      await store().convs.detach(conv, one)
      expect(await store().nodesOf(conv)).toEqual([another])
      await store().convs.detach(conv, another)
      expect(await store().redis.exists(store().key(conv, 'state'))).toBe(0)
    })

    it('[P6] lets nobody follow who is no member', async () => {
      const [owner, member, node] = [someone(), someone(), someNode()]
      const { group, conv } = await store().group(owner, [member])
      const removed = ok(await store().remove(group, owner, member))
      expect(await store().convs.attach(conv, node, member)).toEqual({ head: removed.id, joined: undefined })
      expect(await store().nodesOf(conv)).toEqual([])
      expect(await held(conv, node)).toEqual([])
    })

    it('knows the head of what is empty', async () => {
      const conv = newChannel()
      expect(await store().convs.attach(conv, someNode())).toEqual({ head: '0-0', joined: '0-0' })
      expect(await store().convs.head(conv)).toBeUndefined()
    })

    it('keeps the order of calls: the last of attach and detach wins', async () => {
      const [conv, node] = [newChannel(), someNode()]
      await Promise.all([
        store().convs.attach(conv, node),
        store().convs.detach(conv, node),
        store().convs.attach(conv, node),
      ])
      expect(await store().nodesOf(conv)).toEqual([node])
      await Promise.all([store().convs.attach(conv, node), store().convs.detach(conv, node)])
      expect(await store().nodesOf(conv)).toEqual([])
    })

    it('[P6] tells a removal before the event of it, and both in order with messages', async () => {
      const [owner, member, node] = [someone(), someone(), someNode()]
      const { group, conv } = await store().group(owner, [member])
      await store().convs.attach(conv, node, member)
      const ear = await store().ear(node, conv)
      const [removed, ...sent] = await Promise.all([
        store().remove(group, owner, member),
        ...Array.from({ length: 3 }, () => store().convs.append(draftOf(conv, owner), 'member')),
      ])
      const after = ok(await store().convs.append(draftOf(conv, owner), 'member'))
      const heard = await ear.heard()
      const border = ok(removed).id
      const ids = [...sent.map((one) => ok(one).id), border, after.id].toSorted(comparePositions)
      expect(heard.map(({ kind, mark }) => `${kind} ${mark}`)).toEqual(
        ids.flatMap((id) => (id === border ? [`c ${id}`, `m ${id}`] : [`m ${id}`])),
      )
      const order = heard.find(({ kind }) => kind === 'c')!
      expect(JSON.parse(order.frame)).toEqual({ do: 'exit', user: member, group, id: border })
    })
  })
}
