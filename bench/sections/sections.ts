/** All sections, in the order of the page. */
import { growth } from './growth.ts'
import type { Lengths, Section } from './section.ts'
import { sideBySide } from './side-by-side.ts'

export const sections = (lengths: Lengths): Section[] => [...sideBySide(lengths), ...growth(lengths)]
