/** Clocks that can be turned while their process runs: of a Redis or of a gateway. Needs a C compiler (`cc`). */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('./clock.c', import.meta.url))

export class Clock {
  readonly #dir = mkdtempSync(join(tmpdir(), 'starling-faults-clock-'))
  readonly #file = join(this.#dir, 'shift')
  readonly #library = join(this.#dir, 'clock.so')

  /** @throws Error where there is no compiler, or it fails */
  constructor() {
    this.turn(0)
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', this.#library, SOURCE, '-ldl'])
  }

  /** What a process needs in its environment to go by this clock. */
  get env(): Record<string, string> {
    return { LD_PRELOAD: this.#library, CLOCK_SHIFT_FILE: this.#file }
  }

  /** Shifts the time of day from the machine's, at once. */
  turn(ms: number): void {
    const shift = Buffer.alloc(8)
    shift.writeBigInt64LE(BigInt(ms))
    // Written in place: the process has mapped it.
    const file = openSync(this.#file, constants.O_RDWR | constants.O_CREAT)
    writeSync(file, shift, 0, shift.length, 0)
    closeSync(file)
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }
}
