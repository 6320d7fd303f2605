/** Who a connection of a load generator is, and where it goes. */
export interface Login {
  /** On 127.0.0.1. */
  port: number
  user: string
  /** Where this is a member, for systems that believe what a client says. */
  groups?: readonly string[]
  token: string
}
