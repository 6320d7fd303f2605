/** The page as two people use it, each on a gateway of their own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.open()
}, 90_000)
afterAll(() => stage?.close())

/** Nobody else of this file is called so. */
let people = 0
const named = (name: string) => `${name} ${++people}`

async function twoGuests() {
  const { gw1, gw2 } = stage.world
  const names = { alice: named('Alice'), bob: named('Bob') }
  const [alice, bob] = await Promise.all([stage.guest(gw1, names.alice), stage.guest(gw2, names.bob)])
  return { alice, bob, names }
}

describe('the page on two gateways', () => {
  test('people see each other online, and which gateway they are on', async () => {
    const { alice, bob, names } = await twoGuests()
    await expect.poll(() => alice.node.textContent()).toContain('gw-1')
    await expect.poll(() => bob.node.textContent()).toContain('gw-2')

    await alice.goTo('People')
    await alice.online(names.bob).waitFor()
    await bob.goTo('People')
    await bob.online(names.alice).waitFor()

    await bob.leave()
    await alice.online(names.bob).waitFor({ state: 'detached' })
  })

  test('a dm arrives on the other gateway, and its author sees it read', async () => {
    const { alice, bob, names } = await twoGuests()
    await alice.openDm(names.bob)
    await alice.write('Good morning')
    await bob.chat(names.alice).getByText('1 unread message').waitFor({ state: 'attached' })
    await alice.state('Good morning', 'Received').waitFor()

    await bob.openChat(names.alice)
    await bob.message('Good morning').waitFor()
    await alice.state('Good morning', 'Read').waitFor()

    await bob.composer.pressSequentially('Morn')
    await alice.messages.page().getByText(`${names.bob} is typing…`).first().waitFor()
    await bob.write('Morning, Alice')
    await alice.message('Morning, Alice').waitFor()
  })

  test('who was away finds what was missed, marked as unread', async () => {
    const { alice, bob, names } = await twoGuests()
    await alice.openDm(names.bob)
    await alice.write('before you go')
    await bob.openChat(names.alice)
    await bob.message('before you go').waitFor()
    await alice.state('before you go', 'Read').waitFor()

    await bob.leave()
    await alice.write('while you were away')
    await alice.write('and one more')
    await alice.state('and one more', 'Sent').waitFor()

    await bob.comeBack()
    await bob.chat(names.alice).getByText('2 unread messages').waitFor({ state: 'attached' })
    expect(await bob.page.title()).toBe('(2) Starling')
    await bob.openChat(names.alice)
    await bob.messages.getByText('New messages').waitFor()
    expect(await bob.texts()).toEqual(['before you go', 'while you were away', 'and one more'])
    await bob.chat(names.alice).getByText('unread message').waitFor({ state: 'detached' })
    await alice.state('and one more', 'Read').waitFor()
  })

  test('the lobby is everybody’s, announcements are only read', async () => {
    const { alice, bob } = await twoGuests()
    const words = named('Hello, everybody')
    await alice.openChat('Lobby')
    await alice.write(words)
    await bob.openChat('Lobby')
    await bob.message(words).waitFor()

    const news = named('We restart tonight')
    const pushed = await stage.world.server.post('/push', {
      to: ['channel:announcements'],
      body: { type: 'text', text: news },
      ref: news,
    })
    expect(pushed.status).toBe(200)
    await bob.openChat('Announcements')
    await bob.message(news).waitFor()
    await bob.page.getByText('Only the server writes here.').waitFor()
    expect(await bob.composer.count()).toBe(0)
  })

  test('a group is made, talked in and left', async () => {
    const { alice, bob, names } = await twoGuests()
    const title = named('Release crew')
    await alice.page.getByRole('button', { name: 'New group' }).click()
    const dialog = alice.page.getByRole('dialog', { name: 'New group' })
    await dialog.getByLabel('Name', { exact: true }).fill(title)
    await dialog.getByRole('checkbox', { name: names.bob }).press('Space')
    await dialog.getByRole('button', { name: 'Create group' }).click()
    await alice.page.getByRole('heading', { level: 2, name: title }).waitFor()

    await bob.openChat(title)
    await bob.write('Thanks for having me')
    await alice.message('Thanks for having me').waitFor()
    const members = alice.page.getByTestId('members')
    await members.getByRole('link').filter({ hasText: names.bob }).waitFor()

    await bob.confirm('Leave group')
    await bob.chat(title).waitFor({ state: 'detached' })
    await alice.messages.getByText(`${names.bob} left`).waitFor()
    await members.getByRole('link').filter({ hasText: names.bob }).waitFor({ state: 'detached' })

    await alice.confirm('Leave group')
    await alice.chat(title).waitFor({ state: 'detached' })
  })

  test('an open group is joined by its link, also by one who has to sign in first', async () => {
    const { gw1, gw2 } = stage.world
    const title = named('Open house')
    const owner = stage.world.user('owner')
    const { id } = await owner.createGroup({ name: title, join: 'open' })

    const visitor = await stage.visitor(gw2)
    await visitor.page.goto(`${gw1.url}/#/join/${id}`)
    await visitor.page.getByLabel('Name').fill(named('Carol'))
    await visitor.page.getByRole('button', { name: 'Come in' }).click()
    await visitor.page.getByRole('button', { name: 'Join' }).click()
    await visitor.write('Hello, house')
    await visitor.state('Hello, house', 'Sent').waitFor()
  })

  test('two devices of one user agree, and one can sign the other out', async () => {
    const { gw1, gw2 } = stage.world
    const id = `dora-${Date.now()}`
    const name = named('Alice')
    const alice = await stage.guest(gw1, name)
    const laptop = await stage.visitor(gw1)
    await laptop.register(id, 'correct horse')
    const phone = await stage.visitor(gw2, { viewport: { width: 390, height: 844 } })
    await phone.logIn(id, 'correct horse')

    await laptop.openChat('Lobby')
    const words = named('From my laptop')
    await laptop.write(words)
    await phone.openChat('Lobby')
    await phone.message(words).waitFor()
    await phone.state(words, 'Sent').waitFor()

    await alice.openDm(id)
    await alice.write('Which of you reads this?')
    await laptop.chat(name).getByText('1 unread message').waitFor({ state: 'attached' })
    await phone.page.getByRole('link', { name: 'Back to the chats' }).click()
    await phone.openChat(name)
    await laptop.chat(name).getByText('unread message').waitFor({ state: 'detached' })

    await laptop.goTo('You')
    await laptop.page.getByRole('button', { name: /^Sign out .* on gw-2$/ }).click()
    await phone.page.getByText('This device was signed out from another one.').waitFor()
  })

  test('what is written while the gateway is down is sent once, when it is back', async () => {
    const { alice, bob, names } = await twoGuests()
    await bob.openDm(names.alice)
    await bob.write('up')
    await bob.state('up', 'Received').waitFor()

    await stage.world.gw2.kill()
    await bob.page.getByRole('status').filter({ hasText: 'The line is down' }).waitFor()
    await bob.write('down')
    await bob.state('down', 'Sending').waitFor()

    await stage.world.gw2.restart()
    await bob.state('down', 'Received').waitFor({ timeout: 40_000 })
    await alice.openChat(names.bob)
    await alice.message('down').waitFor()
    expect(await alice.message('down').count()).toBe(1)
    expect(await bob.message('down').count()).toBe(1)
  }, 60_000)

  test('older messages come as one scrolls up, without a jump', async () => {
    const { gw1 } = stage.world
    const reader = await stage.guest(gw1, named('Reader'))
    await reader.goTo('You')
    const id = await reader.page.getByTestId('my-id').textContent()
    const push = async (number: number) => {
      const { status } = await stage.world.server.post('/push', {
        from: 'writer',
        to: [`user:${id}`],
        body: { type: 'text', text: `line ${number}.` },
        ref: `line ${id} ${number}`,
      })
      expect(status).toBe(200)
    }
    await push(1)
    await reader.openChat('writer')
    for (let number = 2; number <= 150; number++) await push(number)
    await reader.message('line 150.').waitFor()
    await reader.chat('writer').getByText('unread message').waitFor({ state: 'detached' })

    // All is read, so it opens at the newest message, with the last page of the log.
    await reader.leave()
    await reader.comeBack()
    await reader.openChat('writer')
    await reader.message('line 150.').waitFor()
    const first = reader.messages.getByRole('article').first().locator('.text')
    while ((await first.textContent()) !== 'line 1.') {
      const words = String(await first.textContent())
      await reader.messages.evaluate((list) => list.scrollTo(0, 0))
      await expect.poll(() => first.textContent()).not.toBe(words)
      // What stood at the top is where it was, but for the height of what has left the list's head.
      expect((await reader.message(words).boundingBox())?.y).toBeLessThan(200)
    }
    await reader.messages.getByText('This is where it begins').waitFor()
    const numbers = (await reader.texts()).map((text) => Number(/line (\d+)\./.exec(text)?.[1]))
    expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at))

    await reader.page.getByRole('button', { name: 'To the newest message' }).click()
    await reader.message('line 150.').waitFor()
  })

  test('the page speaks Chinese to those who do, and English on demand', async () => {
    const visitor = await stage.visitor(stage.world.gw1, { locale: 'zh-CN' })
    await visitor.page.getByRole('heading', { name: '欢迎来到 Starling' }).waitFor()
    expect(await visitor.page.locator('html').getAttribute('lang')).toBe('zh-CN')
    await visitor.page.getByRole('button', { name: 'English' }).click()
    await visitor.page.getByRole('heading', { name: 'Welcome to Starling' }).waitFor()
    expect(await visitor.page.locator('html').getAttribute('lang')).toBe('en')
  })

  test('no page met an error of its own', () => {
    expect(stage.faults).toEqual([])
  })
})
