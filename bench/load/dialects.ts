/** The dialects by name: a name travels to a generator, functions don't. */

import { socketIo } from '../peers/socket-io/dialect.ts'
import { starling } from '../peers/starling/dialect.ts'
import { raw } from '../peers/uws/dialect.ts'
import { plain } from '../peers/ws/dialect.ts'

export const DIALECTS = { starling, socketIo, plain, raw } as const
export type DialectName = keyof typeof DIALECTS
