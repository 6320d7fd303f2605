/**
 * One cluster of compose.yaml for tests: a project, ports and secrets of its own, so that it disturbs nobody. Knows
 * containers and HAProxy's view of them; what people do in the cluster is person.ts' business.
 */
import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { createApi } from '@starling/client'
import { freePort } from '../../../scripts/lib/ports.ts'
import { signToken } from '../../support/harness-jwt.ts'
import { docker, ROOT } from './docker.ts'
import { IMAGE } from './images.ts'
import { Person } from './person.ts'
import { until } from './until.ts'

export const CLUSTER_URL = 'redis+cluster://redis-cluster'
export const SENTINEL_URL = 'redis+sentinel://sentinel-1,sentinel-2,sentinel-3/starling'

export interface StackOptions {
  profiles?: ('observability' | 'redis-cluster' | 'sentinel')[]
  redisUrl?: string
  /** Only these and what they depend on; default: all that the profiles have. */
  services?: string[]
  /** Compose files beside compose.yaml. */
  files?: string[]
  env?: Record<string, string>
}

export class Stack {
  readonly #project = `starling-test-${randomBytes(4).toString('hex')}`
  readonly #env: Record<string, string>
  readonly #secret: string
  readonly #apiKey: string
  readonly #people = new Set<Person>()
  readonly #options: string[]

  private constructor(env: Record<string, string>, options: string[]) {
    this.#env = env
    this.#secret = env['JWT_SECRET']!
    this.#apiKey = env['API_KEY']!
    this.#options = options
  }

  /** Starts it, and waits until all of it is healthy. */
  static async up({
    profiles = [],
    redisUrl,
    services = [],
    files = [],
    env = {},
  }: StackOptions = {}): Promise<Stack> {
    const ports = ['HTTP_PORT', 'HTTPS_PORT', 'STATS_PORT', 'PROMETHEUS_PORT', 'GRAFANA_PORT']
    const own: Record<string, string> = {
      GATEWAY_IMAGE: IMAGE,
      JWT_SECRET: randomUUID(),
      API_KEY: randomUUID(),
      // What a .env here says is of somebody else's cluster.
      COMPOSE_ENV_FILES: '/dev/null',
      // Clients have less time to go than they are given by default, and wait less for it.
      DRAIN_SECONDS: '4',
      ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
      ...env,
    }
    for (const name of ports) own[name] = String(await freePort())
    const stack = new Stack(own, [
      ...['compose.yaml', ...files].flatMap((file) => ['--file', file]),
      ...profiles.flatMap((profile) => ['--profile', profile]),
    ])
    const since = performance.now()
    try {
      await stack.compose('up', '--detach', '--no-build', '--wait', ...services)
    } catch (fault) {
      const words = await stack.words()
      await stack.down()
      throw new Error(`the cluster did not start:\n${words}`, { cause: fault })
    }
    console.log(`healthy after ${((performance.now() - since) / 1000).toFixed(1)} s`)
    return stack
  }

  /** Ends everything, its data with it. May be called twice. */
  async down(): Promise<void> {
    await Promise.all([...this.#people].map((person) => person.leave()))
    // All profiles: naming one service of a profile has started the others of it as well.
    await this.compose('--profile', '*', 'down', '--volumes', '--timeout', '1')
  }

  get front(): string {
    return `http://127.0.0.1:${this.port('HTTP_PORT')}`
  }

  get network(): string {
    return `${this.#project}_default`
  }

  get tlsFront(): string {
    return `https://127.0.0.1:${this.port('HTTPS_PORT')}`
  }

  port(name: string): string {
    return this.#env[name]!
  }

  compose(...args: string[]): Promise<string> {
    return docker(['compose', '--project-name', this.#project, ...this.#options, ...args], this.#env)
  }

  /** What its containers have said lately: what one looks at when a test has failed. */
  async words(): Promise<string> {
    return this.compose('--profile', '*', 'logs', '--no-color', '--timestamps', '--tail', '50').catch(String)
  }

  /** Replaces the gateways one by one, as operators do. */
  async roll(): Promise<void> {
    await promisify(execFile)('deploy/roll.sh', ['--project-name', this.#project], {
      cwd: ROOT,
      env: { ...process.env, ...this.#env },
    })
  }

  /** Ids of a service's running containers. The first 12 characters are its host name, and so a gateway's `node`. */
  async containers(service: string): Promise<string[]> {
    const ids = await this.compose('ps', '--quiet', service)
    return ids.split('\n').filter((id) => id !== '')
  }

  async gateways(): Promise<string[]> {
    return (await this.containers('gateway')).map((id) => id.slice(0, 12))
  }

  /** The lines of one gateway's log, as objects. */
  async log(gateway: string): Promise<Record<string, unknown>[]> {
    const lines = (await docker(['logs', gateway])).split('\n').filter((line) => line.startsWith('{'))
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** Waits until HAProxy sends people to exactly so many gateways. */
  async balanced(count: number): Promise<void> {
    await until(`${count} gateways up in HAProxy's eyes`, 60_000, async () => {
      const page = await fetch(`http://127.0.0.1:${this.port('STATS_PORT')}/;csv`)
      const lines = (await page.text()).split('\n').map((line) => line.split(','))
      return (
        lines.filter(([proxy, , ...rest]) => proxy === 'gateways' && rest[15] === 'UP').length === count + 1
      )
    })
  }

  async scale(count: number): Promise<void> {
    await this.compose(
      'up',
      '--detach',
      '--no-deps',
      '--no-recreate',
      '--wait',
      '--scale',
      `gateway=${count}`,
      'gateway',
    )
    await this.balanced(count)
  }

  token(user: string): string {
    return signToken({ sub: user }, this.#secret)
  }

  api(user: string) {
    return createApi({ endpoint: this.front, getToken: () => Promise.resolve(this.token(user)) })
  }

  /** The nodes that the cluster counts as living, by name. */
  async nodes(): Promise<string[]> {
    const headers = { authorization: `Bearer ${this.#apiKey}` }
    const answer = await fetch(`${this.front}/api/v1/stats`, { headers })
    const { nodes } = (await answer.json()) as { nodes: { node: string }[] }
    return nodes.map(({ node }) => node)
  }

  /** Somebody new comes in through the front. */
  async person(name = randomUUID()): Promise<Person> {
    const person = new Person(name, this.front, () => this.token(name))
    this.#people.add(person)
    await person.live()
    return person
  }

  /** New people, at least one on each gateway; by gateway. */
  async peopleEverywhere(): Promise<Map<string, Person[]>> {
    const gateways = await this.gateways()
    const people = new Map<string, Person[]>(gateways.map((gateway) => [gateway, []]))
    return until('somebody on each gateway', 60_000, async () => {
      const person = await this.person()
      people.get(person.node)?.push(person)
      return [...people.values()].every((here) => here.length > 0) && people
    })
  }
}
