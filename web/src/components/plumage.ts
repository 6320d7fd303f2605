/** The colour and the initials of those who have no picture; the same on every device, from the id alone. */

export interface Plumage {
  from: string
  to: string
}

/** A small string hash (FNV-1a): stable, cheap, spread widely enough to pick a colour. */
function hash(text: string): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193)
  return sum >>> 0
}

/** @returns two neighbouring hues from the green-to-violet side of the wheel, dark enough for white initials */
export function plumageOf(id: string): Plumage {
  const seed = hash(id)
  const hue = 152 + (seed % 128)
  const turn = 18 + ((seed >>> 8) % 30)
  return { from: `hsl(${hue} 58% 40%)`, to: `hsl(${hue + turn} 56% 34%)` }
}

/** @returns one or two characters: of a Latin name its first letters, of another its first character */
export function initialsOf(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter(Boolean)
  const [first = '', second = ''] = words.map((word) => Array.from(word)[0] ?? '')
  const latin = /^\p{Script=Latin}/u
  return latin.test(first) && latin.test(second) ? (first + second).toUpperCase() : first.toUpperCase()
}
