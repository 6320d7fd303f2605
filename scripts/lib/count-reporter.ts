/** The last line of a test run, plain, for scripts to read: `N passed, N failed`. */
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], faults: readonly SerializedError[]): void {
    const count = { passed: 0, failed: faults.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++
      // A file that could not be loaded has no tests to count.
      count.failed += module.errors().length
    }
    const { passed, failed, skipped, pending } = count
    const others = skipped + pending > 0 ? `, ${skipped + pending} skipped` : ''
    // After what the other reporters print.
    process.once('exit', () => process.stdout.write(`${passed} passed, ${failed} failed${others}\n`))
  }
}
