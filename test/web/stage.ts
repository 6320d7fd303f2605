/**
 * Where the page is tested: the page as it is built now, two gateways that serve it, and one browser. People of
 * a test each get a window of their own, which knows nothing of the others.
 */
import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core'
import { build } from 'vite'
import { World } from '../support/harness.ts'
import type { Gateway } from '../support/harness-gateway.ts'
import { Person } from './person.ts'

const WEB = fileURLToPath(new URL('../../web', import.meta.url))
/** Debian's; elsewhere `CHROMIUM` says where it is. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const WAIT_MS = 10_000

export class Stage {
  readonly world: World
  readonly #browser: Browser
  readonly #faults: string[] = []

  private constructor(world: World, browser: Browser) {
    this.world = world
    this.#browser = browser
  }

  /** Builds the page, which gateways read at their start, and starts both. */
  static async open(): Promise<Stage> {
    await access(CHROMIUM).catch(() => {
      throw new Error(`no Chromium at ${CHROMIUM}: install it, or say in CHROMIUM where it is`)
    })
    await build({ root: WEB, logLevel: 'error' })
    const world = await World.start({ gateways: 2 })
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
    })
    return new Stage(world, browser)
  }

  /** What went wrong inside the pages so far: exceptions and refused resources. */
  get faults(): readonly string[] {
    return this.#faults
  }

  /** A window of its own, at the sign-in page of a gateway. */
  async visitor(node: Gateway, options: BrowserContextOptions = {}): Promise<Person> {
    const context = await this.#browser.newContext({ locale: 'en-US', ...options })
    context.setDefaultTimeout(WAIT_MS)
    context.on('weberror', (fault) => this.#faults.push(String(fault.error().stack)))
    return Person.arrive(context, node.url)
  }

  async guest(node: Gateway, name: string): Promise<Person> {
    const person = await this.visitor(node)
    await person.enterAsGuest(name)
    return person
  }

  async close(): Promise<void> {
    await this.#browser.close()
    await this.world.cluster.close()
  }
}
