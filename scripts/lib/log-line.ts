/** One line of a gateway's log for a terminal: short, under the gateway's name, or nothing where nobody need see it. */

const LEVELS = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
])

/** Quiet means: from warnings on. */
const QUIET = 40

/** Fields of every line that say nothing here. */
const COMMON = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name', 'node'])

/** The line to show; undefined for one below a warning, unless `verbose`. What is not a log's JSON is shown as it is. */
export function showLogLine(node: string, line: string, verbose: boolean): string | undefined {
  const entry = parse(line)
  if (!entry) return line.trim() && `${node}  ${line}`
  const { level, msg } = entry
  if (!verbose && Number(level) < QUIET) return undefined
  const fields = Object.entries(entry).filter(([name]) => !COMMON.has(name))
  const details = fields.map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${node}  ${LEVELS.get(Number(level)) ?? level}  ${msg ?? ''}${details.join('')}`
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    return typeof entry === 'object' && entry !== null && 'level' in entry ? { ...entry } : undefined
  } catch {
    return undefined
  }
}
