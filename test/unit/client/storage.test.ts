/** What of a browser's tabs survives them, in a `localStorage` of the test's own. */
import { browserStorage, type Saved } from '@starling/client'
import { beforeEach, expect, it, vi } from 'vitest'

const items = new Map<string, string>()
/** What another tab does right before the next write. */
let meanwhile = () => {}
vi.stubGlobal('localStorage', {
  get length() {
    return items.size
  },
  key: (at: number) => [...items.keys()][at] ?? null,
  getItem: (key: string) => items.get(key) ?? null,
  removeItem: (key: string) => void items.delete(key),
  setItem(key: string, value: string) {
    const other = meanwhile
    meanwhile = () => {}
    other()
    items.set(key, value)
  },
})
beforeEach(() => items.clear())

const draft = (ref: string) => ({ ref, to: 'user:bob', body: { type: 'text', text: ref } }) as const
const savedWith = (inbox: string, ...refs: string[]): Saved => ({
  user: 'alice',
  inbox,
  convs: [],
  outbox: refs.map(draft),
})
const refsOf = async (saved: ReturnType<ReturnType<typeof browserStorage>['load']>) =>
  (await saved)?.outbox.map(({ ref }) => ref)

it('[P1] keeps what each of two tabs has still to send, whichever saves last', async () => {
  const [one, two] = [browserStorage('alice'), browserStorage('alice')]
  await one.save(savedWith('1-1', 'a'))
  await two.save(savedWith('2-2', 'b'))
  const next = browserStorage('alice')
  expect(await next.load()).toEqual(savedWith('2-2', 'a', 'b'))
})

it('[P1] keeps what each of two tabs has still to send, though they save in the same moment', async () => {
  const [one, two] = [browserStorage('alice'), browserStorage('alice')]
  meanwhile = () => void two.save(savedWith('2-2', 'b'))
  await one.save(savedWith('1-1', 'a'))
  expect((await refsOf(browserStorage('alice').load()))?.toSorted()).toEqual(['a', 'b'])
})

it('has a message once that two tabs have, and knows whether it was shown', async () => {
  const [one, two] = [browserStorage('alice'), browserStorage('alice')]
  await one.save({ ...savedWith('1-1'), outbox: [{ ...draft('a'), seen: true }] })
  await two.save(savedWith('1-1', 'a', 'b'))
  const { outbox } = (await browserStorage('alice').load())!
  expect(outbox).toEqual([{ ...draft('a'), seen: true }, draft('b')])
})

it('forgets what was sent by the tab that took it over, and no more than that', async () => {
  const gone = browserStorage('alice')
  await gone.save(savedWith('1-1', 'a'))
  const living = browserStorage('alice')
  await living.save(savedWith('1-1', 'b'))
  const next = browserStorage('alice')
  expect(await refsOf(next.load())).toEqual(['a', 'b'])
  await living.save(savedWith('1-1', 'b', 'c'))
  await next.save(savedWith('3-3'))
  expect(await refsOf(browserStorage('alice').load())).toEqual(['b', 'c'])
  await living.save(savedWith('4-4'))
  expect(await browserStorage('alice').load()).toEqual(savedWith('4-4'))
})

it('[P1] keeps what one storage has, though the next client of the same page goes on with it', async () => {
  const storage = browserStorage('alice')
  await storage.save(savedWith('1-1', 'a'))
  await storage.save((await storage.load())!)
  expect(await refsOf(browserStorage('alice').load())).toEqual(['a'])
})

it('[P2] leaves positions alone that have not moved on in this tab: another one may be further', async () => {
  const [one, two] = [browserStorage('alice'), browserStorage('alice')]
  await one.save(savedWith('1-1'))
  const found = (await two.load())!
  await one.save(savedWith('5-5'))
  await two.save({ ...found, outbox: [draft('a')] })
  expect(await browserStorage('alice').load()).toEqual(savedWith('5-5', 'a'))
})

it('keeps users and names apart, and starts afresh where what is there makes no sense', async () => {
  const shared = browserStorage()
  await shared.save(savedWith('1-1', 'a'))
  expect(await browserStorage('alice').load()).toBeUndefined()
  await browserStorage().save({ user: 'bob', convs: [], outbox: [] })
  expect(await browserStorage().load()).toEqual({ user: 'bob', convs: [], outbox: [] })
  items.set('starling-outbox:tab:default', '{"user":')
  expect(await refsOf(browserStorage().load())).toEqual([])
  items.set('starling:default', '{"user":')
  expect(() => browserStorage().load()).toThrow(SyntaxError)
  await shared.save(savedWith('2-2', 'a'))
  expect(await refsOf(browserStorage().load())).toEqual(['a'])
})
