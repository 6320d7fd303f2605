/** How this browser introduces itself in the list of sessions. */

const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux|X11/, 'Linux'],
]
// In this order: most browsers also name the ones they descend from.
const BROWSERS: [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/Firefox\/|FxiOS/, 'Firefox'],
  [/Chrome\/|CriOS/, 'Chrome'],
  [/Safari\//, 'Safari'],
]

const find = (names: [RegExp, string][], agent: string) => names.find(([pattern]) => pattern.test(agent))?.[1]

/** @returns such as `Firefox · Linux`, at most 64 characters */
export function platformName(agent: string): string {
  return [find(BROWSERS, agent) ?? 'Web', find(SYSTEMS, agent)].filter(Boolean).join(' · ')
}
