/**
 * Runs vue-tsc. It patches the text of `typescript/lib/tsc.js`, which in the TypeScript 6 that stands beside
 * TypeScript 7 is only a pointer to the package with the text; so it is told where that is.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const typescript = createRequire(require.resolve('typescript'))
require('vue-tsc').run(typescript.resolve('@typescript/old/lib/tsc.js'))
