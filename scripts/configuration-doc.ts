/**
 * Makes docs/configuration.md from the settings themselves: `npm run docs`. A test holds the two together.
 */
import { writeFileSync } from 'node:fs'
import { SETTINGS, type Setting } from '../src/settings.ts'

const TARGET = new URL('../docs/configuration.md', import.meta.url)

function row([name, setting]: [string, Setting<unknown>]): string {
  const fallback = setting.default === undefined ? 'unset' : `\`${setting.default}\``
  return `| \`${name}\` | ${fallback} | ${setting.unit ?? ''} | ${setting.about} |`
}

/** @returns the page */
export function configurationPage(): string {
  return `# Configuration

A gateway is set by its environment alone. Every wrong or missing setting is named in one message on stderr before it
serves, and the exit code is 2. An empty variable counts as unset. This page is made from \`src/settings.ts\` by
\`npm run docs\`.

| variable | default | unit | meaning |
|---|---|---|---|
${Object.entries(SETTINGS).map(row).join('\n')}

\`JWT_SECRET\` or \`JWKS_URL\` is required; \`AUTH=local\` needs \`JWT_SECRET\`, since accounts need a key to sign their tokens.
\`npm start\` makes a secret of its own and keeps it in \`.data/\`.
`
}

if (import.meta.main) writeFileSync(TARGET, configurationPage())
