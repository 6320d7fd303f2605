/**
 * Typed events. A listener that throws harms neither the others nor the line.
 */
import type { ClientEvent, ClientEvents, Listener } from './types.ts'

type Listeners = { [Event in ClientEvent]?: readonly Listener<Event>[] }

export class Events {
  /** Lists are replaced, never changed: a listener may come or go while one is walked. */
  readonly #listeners: Listeners = {}

  /** @returns a function that takes the listener off again */
  on<Event extends ClientEvent>(event: Event, listener: Listener<Event>): () => void {
    this.#set(event, [...this.#of(event), listener])
    let on = true
    return () => {
      if (!on) return
      on = false
      const list = [...this.#of(event)]
      list.splice(list.indexOf(listener), 1)
      this.#set(event, list)
    }
  }

  emit<Event extends ClientEvent>(event: Event, payload: ClientEvents[Event]): void {
    for (const listener of this.#of(event)) {
      try {
        listener(payload)
      } catch (error) {
        this.#fault(event, error)
      }
    }
  }

  /** Goes to the `error` listeners; where there are none, or one is at fault itself, it is thrown where all can see it. */
  #fault(event: ClientEvent, error: unknown): void {
    if (event !== 'error' && this.#of('error').length > 0) this.emit('error', error)
    else {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  #of<Event extends ClientEvent>(event: Event): readonly Listener<Event>[] {
    return (this.#listeners[event] as readonly Listener<Event>[] | undefined) ?? []
  }

  #set<Event extends ClientEvent>(event: Event, list: readonly Listener<Event>[]): void {
    ;(this.#listeners as Record<Event, readonly Listener<Event>[]>)[event] = list
  }
}
