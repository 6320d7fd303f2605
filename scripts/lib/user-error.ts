/** Something that the user can mend: shown as its message alone, without a stack. */
export class UserError extends Error {}

/** Ends a script that could not go on: exit code 1, a stack only where it helps. */
export function giveUp(fault: unknown): never {
  console.error(fault instanceof UserError ? `\n${fault.message}` : fault)
  process.exit(1)
}
