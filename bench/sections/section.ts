/** A section of the bench: what is measured in turn, at what, and how its figures are shown. */
import type { Subject } from '../lib/interleave.ts'

export interface Section {
  name: string
  title: string
  /** How it is measured, in a line or two. */
  setting: string
  /** Systems, or one system at several sizes. */
  subjects: readonly Subject[]
  /** The parts of its figures, each a table. */
  parts: readonly { part: string; title: string }[]
}

export interface Lengths {
  warmupMs: number
  measureMs: number
}

export const GENERATORS = 2
export const PAIRS = 64
export const IN_FLIGHT = 256

export const thousands = (value: number): string => value.toLocaleString('en-US')
