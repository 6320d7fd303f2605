/** Whom a user follows and blocks. What that does to sends is judged where they are stored. */
import { ProtocolError } from '@starling/protocol/errors'
import type { User } from '@starling/protocol/frames'
import type { UserId } from '@starling/protocol/ids'
import type { ContactPort, Tie } from './account-ports.ts'
import type { Accounts } from './accounts.ts'

export class Contacts {
  readonly #store: ContactPort
  readonly #accounts: Pick<Accounts, 'named'>

  constructor(deps: { store: ContactPort; accounts: Pick<Accounts, 'named'> }) {
    this.#store = deps.store
    this.#accounts = deps.accounts
  }

  /** @throws ProtocolError `bad_request` for oneself */
  async tie(user: UserId, tie: Tie, other: UserId): Promise<void> {
    if (user === other) throw new ProtocolError('bad_request', 'not with oneself', { field: 'user' })
    await this.#store.tie(user, tie, other)
  }

  untie(user: UserId, tie: Tie, other: UserId): Promise<void> {
    return this.#store.untie(user, tie, other)
  }

  async list(user: UserId): Promise<{ contacts: User[]; blocks: User[] }> {
    const [contacts, blocks] = await Promise.all(
      (['follow', 'block'] as const).map(async (tie) =>
        this.#accounts.named(await this.#store.list(user, tie)),
      ),
    )
    return { contacts: contacts ?? [], blocks: blocks ?? [] }
  }
}
