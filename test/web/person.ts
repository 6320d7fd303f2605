/**
 * Somebody in front of the page: what they do and what they see, in the words of the page itself. Everything is
 * found as a screen reader finds it where that is possible.
 */
import type { BrowserContext, Locator, Page } from 'playwright-core'

export class Person {
  readonly context: BrowserContext
  readonly #url: string
  page: Page

  private constructor(context: BrowserContext, page: Page, url: string) {
    this.context = context
    this.page = page
    this.#url = url
  }

  static async arrive(context: BrowserContext, url: string): Promise<Person> {
    const page = await context.newPage()
    await page.goto(url)
    return new Person(context, page, url)
  }

  async enterAsGuest(name: string): Promise<void> {
    await this.page.getByLabel('Name').fill(name)
    await this.page.getByRole('button', { name: 'Come in' }).click()
    await this.chats.waitFor()
  }

  async register(id: string, password: string): Promise<void> {
    await this.page.getByRole('radio', { name: 'Register' }).press('Space')
    await this.page.getByLabel('User id').fill(id)
    await this.page.getByLabel('Password').fill(password)
    await this.page.getByRole('button', { name: 'Create account' }).click()
    await this.chats.waitFor()
  }

  async logIn(id: string, password: string): Promise<void> {
    await this.page.getByRole('radio', { name: 'Log in' }).press('Space')
    await this.page.getByLabel('User id').fill(id)
    await this.page.getByLabel('Password').fill(password)
    await this.page.getByRole('button', { name: 'Log in' }).click()
    await this.chats.waitFor()
  }

  /** Closes the window; the browser remembers. */
  async leave(): Promise<void> {
    await this.page.close()
  }

  /** Opens the page again, in a new window of the same browser. */
  async comeBack(): Promise<void> {
    this.page = await this.context.newPage()
    await this.page.goto(this.#url)
    await this.chats.waitFor()
  }

  get chats(): Locator {
    return this.page.getByRole('region', { name: 'Chats' })
  }

  /** A line of the conversation list. */
  chat(title: string): Locator {
    return this.page.getByTestId('conversations').getByRole('link').filter({ hasText: title })
  }

  async openChat(title: string): Promise<void> {
    await this.goTo('Chats')
    await this.chat(title).click()
    await this.page.getByRole('heading', { level: 2, name: title, exact: true }).waitFor()
  }

  async goTo(section: 'Chats' | 'People' | 'You'): Promise<void> {
    await this.page.getByRole('navigation').getByRole('link', { name: section }).click()
  }

  /** Somebody in the online list. */
  online(name: string): Locator {
    return this.page.getByTestId('people').getByRole('link').filter({ hasText: name })
  }

  async openDm(name: string): Promise<void> {
    await this.goTo('People')
    await this.online(name).click()
    await this.page.getByRole('heading', { level: 2, name, exact: true }).waitFor()
  }

  async write(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  get composer(): Locator {
    return this.page.getByTestId('composer')
  }

  /** Presses a button that asks before it acts, and says yes. */
  async confirm(action: string): Promise<void> {
    await this.page.getByRole('button', { name: action }).click()
    await this.page.getByRole('dialog').getByRole('button', { name: action }).click()
  }

  get messages(): Locator {
    return this.page.getByTestId('messages')
  }

  /** A message of the open conversation. */
  message(text: string): Locator {
    return this.messages.getByRole('article').filter({ hasText: text })
  }

  /** What the open conversation says, in its order, as far as it is in the document. */
  texts(): Promise<string[]> {
    return this.messages.getByRole('article').locator('.text').allTextContents()
  }

  /** How far an own message has come: Sending, Sent, Received, Read, Not sent. */
  state(text: string, state: string): Locator {
    return this.message(text).getByRole('img', { name: state, exact: true })
  }

  get node(): Locator {
    return this.page.getByTestId('node')
  }
}
